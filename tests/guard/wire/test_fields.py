"""The rules of field tables: what is dropped, what asks for nothing, what the operator allows."""

from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire.dropped_fields import LONGEST_LIST, MOST_NAMES, OTHER, DroppedFields
from guard.wire.fields import FieldRules, Rule
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore
from guard.wire.sampling import fields_after

PROTOCOLS = make_protocols(ResponseStore())
USER = {"role": "user", "content": "hi"}
BASES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [USER]},
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [USER], "max_tokens": 9},
    "/v1/embeddings": {"input": "hi"},
    "/tokenize": {"prompt": "hi"},
}


def sent(route: str, rules: FieldRules | None = None, **fields: Any) -> dict[str, Any]:
    """What goes upstream of a request on `route` with `fields`."""
    body = {"model": "demo", **BASES[route], **fields}
    return PROTOCOLS[route].parse(body, rules or FieldRules(), None).body


UNKNOWN: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/chat/completions", {"reasoning": {"effort": "low"}}, "reasoning"),
    ("/v1/chat/completions", {"messages": [{**USER, "note": "x"}]}, "messages.note"),
    (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "note": 1}]}]},
        "messages.content.note",
    ),
    ("/v1/completions", {"note": "x"}, "note"),
    ("/v1/responses", {"input": [{**USER, "note": "x"}]}, "input.note"),
    ("/v1/responses", {"text": {"format": {"type": "text", "note": "x"}}}, "text.format.note"),
    ("/v1/messages", {"messages": [{**USER, "note": "x"}]}, "messages.note"),
    ("/v1/messages", {"tools": [{"name": "f", "input_schema": {}, "note": 1}]}, "tools.note"),
    ("/v1/embeddings", {"note": "x"}, "note"),
    ("/tokenize", {"note": "x"}, "note"),
]


@pytest.mark.parametrize(("route", "fields", "name"), UNKNOWN)
def test_unknown_fields_are_dropped_at_every_depth_and_taken_down(
    route: str, fields: dict[str, Any], name: str
) -> None:
    dropped = DroppedFields()

    body = sent(route, FieldRules(dropped=dropped), **fields)

    assert dropped.listed == name
    assert name.rpartition(".")[2] not in str(body)


@pytest.mark.parametrize(("route", "fields", "name"), UNKNOWN)
def test_unknown_fields_are_refused_where_the_operator_says_so(
    route: str, fields: dict[str, Any], name: str
) -> None:
    with pytest.raises(RequestError) as caught:
        sent(route, FieldRules(drop_unknown=False), **fields)
    assert caught.value.code == "unknown_field"
    assert str(caught.value.param).endswith(name.rpartition(".")[2])


NOTHING: list[tuple[str, str, object]] = [
    ("/v1/chat/completions", "functions", []),
    ("/v1/chat/completions", "function_call", "none"),
    ("/v1/chat/completions", "modalities", ["text"]),
    ("/v1/chat/completions", "priority", 0),
    ("/v1/chat/completions", "chat_template_kwargs", {}),
    ("/v1/chat/completions", "chat_template", ""),
    ("/v1/chat/completions", "add_special_tokens", False),
    ("/v1/chat/completions", "echo", False),
    ("/v1/completions", "best_of", 1),
    ("/v1/completions", "priority", 0),
    ("/v1/completions", "add_special_tokens", True),
    ("/v1/responses", "truncation", "disabled"),
    ("/v1/responses", "background", False),
    ("/v1/messages", "mcp_servers", []),
    ("/v1/messages", "chat_template_kwargs", {}),
    ("/v1/embeddings", "priority", 0),
    ("/tokenize", "chat_template_kwargs", {}),
]


@pytest.mark.parametrize(("route", "name", "value"), NOTHING)
def test_refused_fields_pass_with_the_value_that_asks_for_nothing(
    route: str, name: str, value: object
) -> None:
    rules = FieldRules(may_corrupt=True, drop_unknown=False)

    assert name not in sent(route, rules, **{name: value})


ASKING: list[tuple[str, str, object]] = [
    ("/v1/chat/completions", "functions", [{"name": "f"}]),
    ("/v1/chat/completions", "function_call", {"name": "f"}),
    ("/v1/chat/completions", "modalities", ["text", "audio"]),
    ("/v1/chat/completions", "priority", -1),
    ("/v1/chat/completions", "priority", False),
    ("/v1/chat/completions", "prompt_logprobs", 0),
    ("/v1/chat/completions", "add_special_tokens", True),
    ("/v1/completions", "best_of", 2),
    ("/v1/completions", "add_special_tokens", False),
    ("/v1/responses", "truncation", "auto"),
    ("/v1/messages", "mcp_servers", [{"url": "http://example.com"}]),
]


@pytest.mark.parametrize(("route", "name", "value"), ASKING)
def test_any_other_value_is_refused(route: str, name: str, value: object) -> None:
    with pytest.raises(RequestError) as caught:
        sent(route, FieldRules(may_corrupt=True), **{name: value})
    assert (caught.value.param, caught.value.code) == (name, "field_refused")


@pytest.mark.parametrize("version", [None, (0, 31), (0, 32), (0, 33), (1, 0)])
def test_fields_that_the_server_is_too_old_for_are_dropped_and_told(
    version: tuple[int, int] | None,
) -> None:
    dropped = DroppedFields()
    rules = FieldRules(absent=fields_after(version), dropped=dropped)
    body = sent("/v1/chat/completions", rules, return_weight_versions=True)

    has_it = version is None or version >= (0, 33)
    assert ("return_weight_versions" in body) is has_it
    assert dropped.listed == ("" if has_it else "return_weight_versions")


SWITCHED = FieldRules(switches=frozenset({"enable_thinking", "reasoning_effort", "budget"}))
KWARGS = "chat_template_kwargs"
SETTINGS: list[dict[str, Any]] = [
    {"enable_thinking": False},
    {"enable_thinking": True, "reasoning_effort": "low", "budget": 1024},
    {"enable_thinking": None},
]


@pytest.mark.parametrize("route", [r for r, p in PROTOCOLS.items() if KWARGS in p.table])
@pytest.mark.parametrize("settings", SETTINGS)
def test_switches_of_the_models_template_are_carried(route: str, settings: dict[str, Any]) -> None:
    base = {"messages": [USER]} if route.endswith("count_tokens") else BASES[route]
    body = {"model": "demo", **base, KWARGS: settings}

    call = PROTOCOLS[route].parse(body, SWITCHED, None)

    assert call.body[KWARGS] == settings


def test_switches_are_no_texts_to_screen() -> None:
    body: dict[str, Any] = {"model": "demo", "messages": [USER], KWARGS: SETTINGS[1]}
    call = PROTOCOLS["/v1/chat/completions"].parse(body, SWITCHED, None)

    assert [item.text for item in call.items] == ["hi"]


NO_SWITCHES: list[tuple[Any, str]] = [
    ({"enable_thinking": False, "documents": []}, f"{KWARGS}.documents"),
    ({"enable_thinking": "CANARY"}, f"{KWARGS}.enable_thinking"),
    ({"enable_thinking": ["low"]}, f"{KWARGS}.enable_thinking"),
    ({"budget": 10**9}, f"{KWARGS}.budget"),
    ({"budget": 0.5}, f"{KWARGS}.budget"),
    ({"chat_template": "{{ x }}"}, f"{KWARGS}.chat_template"),
    ("enable_thinking", KWARGS),
]


@pytest.mark.parametrize(("value", "param"), NO_SWITCHES)
def test_what_is_no_switch_or_no_plain_value_is_refused(value: Any, param: str) -> None:
    with pytest.raises(RequestError) as caught:
        sent("/v1/chat/completions", SWITCHED, **{KWARGS: value})
    assert (caught.value.param, caught.value.code) == (param, "field_refused")


def test_all_of_it_is_screened_where_the_operator_allows_it() -> None:
    rules = FieldRules(allowed=frozenset({KWARGS}))
    body: dict[str, Any] = {"model": "demo", "messages": [USER], KWARGS: {"note": "CANARY"}}

    call = PROTOCOLS["/v1/chat/completions"].parse(body, rules, None)

    assert call.body[KWARGS] == {"note": "CANARY"}
    assert any("CANARY" in item.text for item in call.items)


def test_a_field_inside_an_object_is_allowed_by_its_dotted_name() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    body: dict[str, Any] = {"model": "demo", "messages": [{**USER, "tools": tools}]}
    rules = FieldRules(allowed=frozenset({"messages.tools"}))

    call = PROTOCOLS["/v1/chat/completions"].parse(body, rules, None)

    assert call.body == body
    assert any("f" in item.text for item in call.items if item.role == "user")


def test_a_dotted_name_is_not_a_way_around() -> None:
    rules = FieldRules(allowed=frozenset({"messages.tools"}))

    assert "messages.tools" not in sent("/v1/chat/completions", rules, **{"messages.tools": 1})


def test_names_of_dropped_fields_are_bounded_and_printable() -> None:
    dropped = DroppedFields()
    for name in ("parsed", "parsed", "ein Satz", "naïve", "x" * 65, "\r\nset-cookie: a"):
        dropped.add("messages.0.", name)
    dropped.add("messages.7.", "parsed")

    assert dropped.listed == "messages.parsed, messages.(unprintable)"
    assert list(dropped.labels) == ["parsed", OTHER]


@pytest.mark.parametrize("length", [1, 60])
def test_more_names_than_are_shown_end_in_dots(length: int) -> None:
    dropped = DroppedFields()
    for number in range(1000):
        dropped.add("", f"{'x' * (length - 1)}{number:04}")

    assert dropped.listed.endswith(", ...")
    assert len(list(dropped.labels)) <= MOST_NAMES
    assert len(dropped.listed) <= LONGEST_LIST + 2 * MOST_NAMES + 3


def test_every_object_of_a_table_has_rules() -> None:
    """A rule that is no member of the enumeration would pass every branch."""
    assert all(type(r) is Rule for p in PROTOCOLS.values() for r in p.table.values())
