"""Rendering by a model's own template: its order is what is read, and no split passes it."""

from collections.abc import Callable

import pytest

from guard.detectors.names.phrases import PhraseList
from guard.rendering.chat_template import ChatTemplate
from guard.rendering.plain_order import places_of, plain_rendering
from guard.rendering.renderer import Renderer, template_rendering
from guard.screening.reading import Reading
from guard.screening.views.view import ViewLimits
from guard.terms.item import Call
from guard.terms.json import JsonObject
from tests.guard.rendering.splits import (
    CUTS,
    PAIRS,
    PHRASE,
    Pair,
    assistant,
    body,
    called,
    parse,
    text,
    tool,
    user,
)
from tests.guard.rendering.templates import FAMILIES, family_template, read


def fires(call: Call, template: ChatTemplate | None) -> bool:
    source = Renderer({"m": template} if template else {}).source(call)
    reading = Reading(call.items, None, ViewLimits(), rendering=source)
    return bool(reading.item_scores(PhraseList([PHRASE]), 0.5).max() >= 0.5)


def read_texts(call: Call, template: ChatTemplate) -> list[tuple[str, str]]:
    """The texts in the template's order, each with what stands before it."""
    order, _ = template.orders(call.body, places_of(call))
    return [(segment.text, segment.joint) for segment in order]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("pair", PAIRS)
def test_no_split_passes(family: str, pair: str) -> None:
    template = family_template(family)

    for first, second in CUTS.values():
        assert fires(parse(PAIRS[pair](first, second)), template)
    assert not fires(parse(PAIRS[pair]("Of violet hills.", "The harbour protocol.")), template)


def named(name: str, **fields: str) -> JsonObject:
    parameters: JsonObject = {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "parameters": parameters, **fields}}


SYSTEM: JsonObject = {"role": "system", "content": "Be kind."}
BEGUN = (user("Hi."), assistant("Yes?"))
ORDERED: dict[str, tuple[str, Pair]] = {
    "tools, last user": ("mistral", lambda a, b: body(*BEGUN, user(b), tools=[tool(a)])),
    "system, last user": (
        "mistral",
        lambda a, b: body({"role": "system", "content": a}, *BEGUN, user(b)),
    ),
    "system, tools": (
        "qwen3",
        lambda a, b: body({"role": "system", "content": a}, *BEGUN, tools=[named(b)]),
    ),
    "tools, first user": ("llama3", lambda a, b: body(SYSTEM, user(b), tools=[tool(a)])),
    "description, name": (
        "gpt_oss",
        lambda a, b: body(user("Hi."), tools=[named(b, description=a)]),
    ),
}


@pytest.mark.parametrize("pair", ORDERED)
def test_what_only_the_template_puts_side_by_side_is_found(pair: str) -> None:
    family, make = ORDERED[pair]
    template = family_template(family)

    for first, second in CUTS.values():
        call = parse(make(first, second))
        assert fires(call, template)
        assert not fires(call, None)


def test_texts_stand_as_the_template_sets_them() -> None:
    parts = parse(body(SYSTEM, user([text(" one "), text("two\n")]), assistant("Yes"), user("so")))

    assert read_texts(parts, family_template("gemma")) == [
        *(("Be kind.", "\n"), ("one", "\n\n"), ("two", ""), ("Yes", "\n"), ("so", "\n"))
    ]
    assert read_texts(parts, family_template("qwen3")) == [
        *(("Be kind.", "\n"), ("one", "\n"), ("two", " \n"), ("Yes", "\n"), ("so", "\n"))
    ]


def test_old_thoughts_are_left_out_as_the_model_leaves_them_out() -> None:
    asked = [user("Go."), assistant("B", reasoning="A"), user("So?")]

    order = read_texts(parse(body(*asked)), family_template("qwen3"))
    told = read_texts(parse(body(*asked)), family_template("gpt_oss"))
    inside = parse(body(user("Go."), assistant("<think>A</think>B"), user("So?")))

    assert [shown for shown, _ in order] == ["Go.", "B", "So?"]
    assert [shown for shown, _ in told] == ["Go.", "A", "B", "So?"]
    assert [shown for shown, _ in read_texts(inside, family_template("qwen3"))] == [
        *("Go.", "B", "So?")
    ]


def test_switches_and_the_generation_prompt_are_the_requests() -> None:
    template = read(
        "{{ messages[0].content }}{% if enable_thinking %}{{ messages[1].content }}{% endif %}"
        "{% if add_generation_prompt %}{{ messages[2].content }}{% endif %}"
    )
    assert template is not None
    turns = [user(word) for word in ("a", "b", "c")]
    shown = {
        str(fields): "".join(s for s, _ in read_texts(parse_switched(*turns, **fields), template))
        for fields in ({}, {"enable_thinking": True}, {"add_generation_prompt": False})
    }

    assert list(shown.values()) == ["ac", "abc", "a"]
    calls = [parse(body(*turns)), parse(body(*turns, add_generation_prompt=False))]
    one, other = (Renderer({"m": template}).source(call).identity for call in calls)
    assert one != other


def parse_switched(*turns: JsonObject, **fields: object) -> Call:
    switches = {name: value for name, value in fields.items() if name == "enable_thinking"}
    rest = {name: value for name, value in fields.items() if name not in switches}
    call = parse(body(*turns, **rest))
    return call.with_body({**call.body, "chat_template_kwargs": switches})


def test_with_tools_the_template_for_tools_is_used() -> None:
    template = read("{{ messages[0].content }}", tool_use="{{ tools[0].function.description }}")
    assert template is not None

    assert read_texts(parse(body(user("Hi."))), template) == [("Hi.", "")]
    assert read_texts(parse(body(user("Hi."), tools=[tool("Reads.")])), template) == [
        ("Reads.", "")
    ]


@pytest.mark.parametrize("source", ["{{ raise_exception('no') }}", "{{ 1 / 0 }}", "nothing"])
def test_where_the_template_fails_the_order_is_the_plain_one(source: str) -> None:
    template, call = read(source), parse(body(user("Hi."), called("f", "{}")))
    assert template is not None

    assert template_rendering(template, call) == plain_rendering(call)


@pytest.mark.parametrize("make", [lambda: read("{% if"), lambda: read("{% nonsense %}")])
def test_one_that_cannot_be_read_is_none(
    make: Callable[[], ChatTemplate | None], caplog: pytest.LogCaptureFixture
) -> None:
    assert make() is None
    assert "cannot be read" in caplog.text


def test_models_read_each_item_once_in_its_order() -> None:
    call = parse(body(SYSTEM, *BEGUN, user("So?"), tools=[tool("Reads.")]))

    (order,) = template_rendering(family_template("mistral"), call).orders

    fields = [call.items[segment.item].param for segment in order]
    assert fields == [
        *("messages.1.content", "messages.2.content", "tools"),
        *("messages.0.content", "messages.3.content"),
    ]
    assert all(segment.text == call.items[segment.item].text for segment in order)


def test_a_text_like_a_stand_in_is_only_a_text() -> None:
    call = parse(body(user("q0000001z"), user("q0000000z q9999999z")))

    shown = read_texts(call, family_template("qwen3"))

    assert [said for said, _ in shown] == ["q0000001z", "q0000000z q9999999z"]


def test_tools_and_calls_stand_as_the_model_server_orders_them() -> None:
    template = read("{{ messages[0].tool_calls | tojson }} {{ tools | tojson }}")
    assert template is not None
    function: JsonObject = {"description": "Reads.", "parameters": {}, "name": "read"}
    request = body(called("read", '{"path": "/src", "name": "n"}'), tools=[{"function": function}])

    shown = [text for text, _ in read_texts(parse(request), template)]

    assert shown == ["c1", "path", "/src", "name", "n", "read", "read", "Reads."]
