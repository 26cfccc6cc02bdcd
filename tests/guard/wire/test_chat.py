"""Chat requests: every text is found, every field has its rule."""

from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire.call import replace_at
from guard.wire.chat import CHAT_FIELDS, parse
from guard.wire.dropped_fields import DroppedFields
from guard.wire.fields import FieldRules, Rule

USER = {"role": "user", "content": "hi"}

STRICT = FieldRules(drop_unknown=False)


def texts(body: dict[str, Any], rules: FieldRules | None = None) -> list[str]:
    call = parse({"model": "m", **body}, rules or FieldRules(), spell)
    return [item.text for item in call.items]


def spell(ids: list[int]) -> str:
    return "".join(chr(96 + token) for token in ids)


CARRIERS: list[tuple[str, dict[str, Any]]] = [
    ("user", {"messages": [{"role": "user", "content": "CANARY"}]}),
    ("system", {"messages": [{"role": "system", "content": "CANARY"}, USER]}),
    ("developer", {"messages": [{"role": "developer", "content": "CANARY"}, USER]}),
    ("assistant", {"messages": [{"role": "assistant", "content": "CANARY"}, USER]}),
    ("earlier turn", {"messages": [{"role": "user", "content": "CANARY"}, USER, USER]}),
    ("tool", {"messages": [{"role": "tool", "tool_call_id": "1", "content": "CANARY"}]}),
    ("tool call id", {"messages": [{"role": "tool", "tool_call_id": "CANARY", "content": "x"}]}),
    ("part", {"messages": [{"role": "user", "content": [{"type": "text", "text": "CANARY"}]}]}),
    ("bare part", {"messages": [{"role": "user", "content": ["CANARY"]}]}),
    (
        "second part",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "CANARY"}],
                }
            ]
        },
    ),
    (
        "refusal part",
        {
            "messages": [
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "CANARY"}]}
            ]
        },
    ),
    ("name", {"messages": [{**USER, "name": "CANARY"}]}),
    ("refusal", {"messages": [{"role": "assistant", "refusal": "CANARY"}, USER]}),
    ("reasoning", {"messages": [{"role": "assistant", "reasoning": "CANARY"}, USER]}),
    ("reasoning content", {"messages": [{"role": "assistant", "reasoning_content": "CANARY"}]}),
    (
        "tool call arguments",
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "CANARY"}}],
                },
                USER,
            ]
        },
    ),
    (
        "escaped tool call arguments",
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"function": {"name": "f", "arguments": r'{"\u0043ANARY": 1}'}}],
                },
                USER,
            ]
        },
    ),
    (
        "tool description",
        {"tools": [{"type": "function", "function": {"name": "f", "description": "CANARY"}}]},
    ),
    (
        "tool parameter name",
        {"tools": [{"function": {"name": "f", "parameters": {"properties": {"CANARY": {}}}}}]},
    ),
    ("tool choice", {"tool_choice": {"type": "function", "function": {"name": "CANARY"}}}),
    ("document", {"documents": [{"text": "CANARY"}]}),
    ("schema", {"response_format": {"json_schema": {"schema": {"description": "CANARY"}}}}),
    ("enum", {"structured_outputs": {"choice": ["CANARY"]}}),
    ("regex", {"structured_outputs": {"regex": "CANARY"}}),
    ("grammar", {"structured_outputs": {"grammar": "CANARY"}}),
    ("stop", {"stop": "CANARY"}),
    ("stops", {"stop": ["a", "CANARY"]}),
    ("bad words", {"bad_words": ["CANARY"]}),
    ("logit bias", {"logit_bias": {"3": 5, "1": -5, "14": 1}}),
    ("allowed tokens", {"allowed_token_ids": [3, 14]}),
]


@pytest.mark.parametrize("body", [case[1] for case in CARRIERS], ids=[case[0] for case in CARRIERS])
def test_text_is_found_wherever_it_stands(body: dict[str, Any]) -> None:
    found = texts({"messages": [USER], **body})

    assert any("CANARY" in text or text == "cn" for text in found)


def test_every_screened_field_has_a_case() -> None:
    covered = {name for _, body in CARRIERS for name in body}

    assert {name for name, rule in CHAT_FIELDS.items() if rule is Rule.SCREENED} <= covered


@pytest.mark.parametrize("name", [n for n, rule in CHAT_FIELDS.items() if rule is Rule.REFUSED])
def test_refused_fields(name: str) -> None:
    body: dict[str, Any] = {"model": "m", "messages": [USER], name: 1}

    with pytest.raises(RequestError) as caught:
        parse(body, FieldRules(), None)
    allowed = parse(body, FieldRules(allowed=frozenset({name})), None)

    assert (caught.value.param, caught.value.code) == (name, "field_refused")
    assert allowed.body[name] == 1


@pytest.mark.parametrize("name", [n for n, rule in CHAT_FIELDS.items() if rule is Rule.LEAKING])
def test_leaking_fields_are_refused_only_where_prompts_may_be_corrupted(name: str) -> None:
    body: dict[str, Any] = {"model": "m", "messages": [USER], name: 1}

    assert parse(body, FieldRules(), None).body[name] == 1
    with pytest.raises(RequestError) as caught:
        parse(body, FieldRules(may_corrupt=True), None)
    assert caught.value.param == name
    off = {**body, name: False}
    assert name not in parse(off, FieldRules(may_corrupt=True), None).body


def test_what_embeddings_would_answer_otherwise_is_dropped_for_every_prompt_and_told() -> None:
    body: dict[str, Any] = {"model": "m", "messages": [USER], "repetition_penalty": 1.3}
    assert parse(body, FieldRules(), None).body["repetition_penalty"] == 1.3
    told = DroppedFields()
    corrupting = FieldRules(may_corrupt=True, drop_unknown=False, dropped=told)
    assert "repetition_penalty" not in parse(body, corrupting, None).body
    assert "repetition_penalty" in told.listed


@pytest.mark.parametrize("name", [n for n, rule in CHAT_FIELDS.items() if rule is Rule.DROPPED])
def test_dropped_fields_are_accepted_and_stay_here(name: str) -> None:
    call = parse({"model": "m", "messages": [USER], name: "CANARY"}, FieldRules(), None)

    assert name not in call.body


def test_unknown_fields_are_dropped_or_refused_never_forwarded() -> None:
    body: dict[str, Any] = {"model": "m", "messages": [USER], "new_field": "x"}

    with pytest.raises(RequestError) as caught:
        parse(body, STRICT, None)
    call = parse(body, FieldRules(), None)

    assert (caught.value.param, caught.value.code) == ("new_field", "unknown_field")
    assert "new_field" not in call.body


def test_null_means_not_set() -> None:
    call = parse({"model": "m", "messages": [USER], "chat_template": None}, FieldRules(), None)

    assert "chat_template" not in call.body


def message(**fields: Any) -> dict[str, Any]:
    return {"messages": [fields]}


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": {}}, "messages"),
    ({"messages": ["hi"]}, "messages.0"),
    (message(content="x"), "messages.0.role"),
    (message(role="root", content="x"), "messages.0.role"),
    (message(role=["user"], content="x"), "messages.0.role"),
    (message(role="user", content=5), "messages.0.content"),
    (message(role="user", content="x", extra=1), "messages.0.extra"),
    (message(role="user", content="x", function_call={"a": 1}), "messages.0.function_call"),
    (message(role="user", content=[5]), "messages.0.content.0"),
    (message(role="user", content=[{"text": "x"}]), "messages.0.content.0.type"),
    (message(role="user", content=[{"type": "text"}]), "messages.0.content.0.text"),
    (
        message(role="user", content=[{"type": "text", "text": "x", "prompt_embeds": "y"}]),
        "messages.0.content.0.prompt_embeds",
    ),
    (
        message(role="user", content=[{"type": "prompt_embeds", "data": "x"}]),
        "messages.0.content.0.type",
    ),
    (
        message(role="user", content=[{"type": "image_url", "image_url": {"url": "x"}}]),
        "messages.0.content.0",
    ),
    ({"messages": [USER], "n": 100000}, "n"),
    ({"messages": [USER], "n": True}, "n"),
    ({"messages": [USER], "stream": "yes"}, "stream"),
    ({"messages": [USER], "logit_bias": {"5": 1, "x": 1}}, "logit_bias.x"),
    ({"messages": [USER], "logit_bias": {"5": "much"}}, "logit_bias.5"),
    ({"messages": [USER], "logit_bias": {"two words": 1}}, "logit_bias"),
    ({"messages": [USER], "allowed_token_ids": [5, []]}, "allowed_token_ids.1"),
    ({"messages": [USER], "logit_bias": {str(i): 1 for i in range(2000)}}, "logit_bias"),
]


@pytest.mark.parametrize(("body", "param"), MALFORMED)
def test_malformed_requests_name_the_field(body: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse({"model": "m", **body}, STRICT, spell)

    assert (caught.value.status, caught.value.param) == (400, param)


def test_an_id_beyond_the_vocabulary_is_named_with_its_field() -> None:
    def beyond(ids: list[int]) -> str:
        raise RequestError(f"Token id {ids[0]} is too large")

    with pytest.raises(RequestError, match="Token id 9 ") as caught:
        parse({"model": "m", "messages": [USER], "logit_bias": {"9": 1}}, FieldRules(), beyond)

    assert caught.value.param == "logit_bias"


def test_token_fields_need_a_tokenizer() -> None:
    with pytest.raises(RequestError) as caught:
        parse({"model": "m", "messages": [USER], "allowed_token_ids": [1]}, FieldRules(), None)

    assert caught.value.param == "allowed_token_ids"


@pytest.mark.parametrize("name", ["function_call", "tools", "audio"])
def test_allowing_a_field_of_requests_allows_none_of_messages(name: str) -> None:
    """Nobody would screen it there."""
    message = {"role": "user", "content": "x", name: {"a": "CANARY"}}
    body: dict[str, Any] = {"model": "m", "messages": [message]}
    with pytest.raises(RequestError) as raised:
        parse(body, FieldRules(allowed=frozenset({name})), None)
    assert raised.value.param == f"messages.0.{name}"


def test_media_pass_only_where_the_operator_allows_them_unscreened() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": [part]}]}

    call = parse(body, FieldRules(media_unscreened=True), None)

    assert call.body["messages"] == body["messages"]


def test_only_message_contents_can_be_corrupted_and_paths_lead_to_them() -> None:
    body: dict[str, Any] = {
        "model": "m",
        "messages": [USER, {"role": "user", "content": [{"type": "text", "text": "there"}]}],
        "stop": "x",
    }
    call = parse(body, FieldRules(), None)

    corruptible = [item for item in call.items if item.corruptible]

    assert [item.text for item in corruptible] == ["hi", "there"]
    part = {"type": "prompt_embeds", "data": "e"}
    replaced = replace_at(call.body, corruptible[1].path, part)
    assert replaced["messages"] == [USER, {"role": "user", "content": [part]}]
    assert call.body["messages"] == body["messages"]
