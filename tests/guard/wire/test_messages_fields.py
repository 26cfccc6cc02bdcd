"""Messages requests: the closed tables, and what each field becomes in the chat call."""

from collections.abc import Mapping
from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules, Rule
from guard.wire.messages import CountTokensProtocol, MessagesProtocol
from guard.wire.messages.fields import COUNT_FIELDS, MESSAGES_FIELDS, SAME, UNTRANSLATABLE

# `AnthropicMessagesRequest` and `AnthropicCountTokensRequest` of vLLM 0.32.0; tests/e2e compares
# with the installed ones.
VLLM_NAMES = """
cache_salt chat_template_kwargs ec_transfer_params kv_transfer_params max_tokens messages metadata
mm_payload model output_config return_mm_kwargs stop_sequences stream system temperature thinking
tool_choice tools top_k top_p vllm_xargs watermarking
"""
VLLM_COUNT_NAMES = """
chat_template_kwargs messages model output_config system thinking tool_choice tools
"""
ANTHROPIC_NAMES = """
billing_policy cache_control compaction container context_management diagnostics
fallback_credit_token fallbacks inference_geo mcp_servers service_tier speed thread user_profile_id
workspace_id
"""
USER = {"role": "user", "content": "hi"}
TOOL: dict[str, Any] = {"name": "f", "input_schema": {"type": "object"}}
CHAT_TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def parsed(fields: Mapping[str, object], **rules: Any) -> Call:
    body = {"model": "demo", "max_tokens": 9, "messages": [USER], **fields}
    return MessagesProtocol().parse(body, FieldRules(**rules), None)


def test_tables_cover_vllm_and_anthropic() -> None:
    assert {*VLLM_NAMES.split(), *ANTHROPIC_NAMES.split()} <= MESSAGES_FIELDS.keys()
    assert set(VLLM_COUNT_NAMES.split()) <= COUNT_FIELDS.keys()


@pytest.mark.parametrize("name", sorted(n for n, r in MESSAGES_FIELDS.items() if r is Rule.REFUSED))
def test_refused_fields_are_named(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        parsed({name: "x"})
    assert (caught.value.param, caught.value.code) == (name, "field_refused")


@pytest.mark.parametrize("name", sorted(n for n, r in MESSAGES_FIELDS.items() if r is Rule.REFUSED))
def test_fields_allowed_by_name_are_carried_if_chat_has_them(name: str) -> None:
    allowed = frozenset({name})
    if name in UNTRANSLATABLE:
        with pytest.raises(RequestError, match="not available"):
            parsed({name: "x"}, allowed=allowed)
    else:
        assert parsed({name: "x"}, allowed=allowed).body[name] == "x"
        assert name in SAME


@pytest.mark.parametrize("name", sorted(n for n, r in MESSAGES_FIELDS.items() if r is Rule.DROPPED))
def test_dropped_fields_do_not_reach_the_model(name: str) -> None:
    assert name not in parsed({name: {"user_id": "x"}}).body


def test_unknown_fields_are_dropped_or_refused() -> None:
    assert "prompt" not in parsed({"prompt": "x"}).body
    with pytest.raises(RequestError, match="Unknown field: prompt"):
        parsed({"prompt": "x"}, drop_unknown=False)


FORMAT = {"type": "json_schema", "schema": {"type": "object"}}
TRANSLATIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"temperature": 0.5, "top_p": 0.9, "top_k": 4, "watermarking": True},
        {"temperature": 0.5, "top_p": 0.9, "top_k": 4, "watermarking": True},
    ),
    ({"stop_sequences": ["END"]}, {"stop": ["END"]}),
    ({"stop_sequences": []}, {}),
    (
        {"stream": True},
        {
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        },
    ),
    ({"thinking": {"type": "disabled"}}, {}),
    ({"thinking": {"type": "adaptive", "display": "omitted"}}, {}),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000},
        {"thinking_token_budget": 1024, "max_completion_tokens": 2000},
    ),
    ({"output_config": {"effort": "max"}}, {"reasoning_effort": "max"}),
    (
        {"output_config": {"format": FORMAT}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "json_schema", "schema": {"type": "object"}},
            }
        },
    ),
    ({"tools": [TOOL]}, {"tools": [CHAT_TOOL]}),
    ({"tools": [{"name": "f", "input_schema": {}, "type": "custom"}]}, {"tools": [CHAT_TOOL]}),
    ({"tool_choice": {"type": "auto"}}, {}),
    (
        {"tools": [TOOL], "tool_choice": {"type": "any"}},
        {"tools": [CHAT_TOOL], "tool_choice": "required", "parallel_tool_calls": True},
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "none"}},
        {"tools": [CHAT_TOOL], "tool_choice": "none", "parallel_tool_calls": True},
    ),
    (
        {
            "tools": [TOOL],
            "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        },
        {
            "tools": [CHAT_TOOL],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "parallel_tool_calls": False,
        },
    ),
]


@pytest.mark.parametrize(("fields", "expected"), TRANSLATIONS)
def test_translations(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    base = {"model": "demo", "messages": [USER], "max_completion_tokens": 9}
    assert parsed(fields).body == base | expected


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": None}, "max_tokens"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": "9"}, "max_tokens"),
    ({"stream": 1}, "stream"),
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"stop_sequences": "END"}, "stop_sequences"),
    ({"stop_sequences": [3]}, "stop_sequences"),
    ({"thinking": {"type": "deep"}}, "thinking.type"),
    ({"thinking": {"budget_tokens": 2000}}, "thinking.type"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking.budget_tokens"),
    ({"output_config": {"effort": "none"}}, "output_config.effort"),
    ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format.type"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
    ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools.0.type"),
    ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
    ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
    ({"tools": [{**TOOL, "hint": "x"}]}, "tools.0.hint"),
    ({"tool_choice": {"type": "any"}}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"name": "f"}}, "tool_choice.type"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
]


@pytest.mark.parametrize(("fields", "param"), WRONG)
def test_wrong_values_are_named_as_the_client_knows_them(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parsed(fields, drop_unknown=False)
    assert (caught.value.param, caught.value.status) == (param, 400)


CARRIERS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "CANARY"}]},
    {"system": "CANARY"},
    {"stop_sequences": ["CANARY"]},
    {"tools": [{**TOOL, "description": "CANARY"}]},
    {"tools": [{"name": "f", "input_schema": {"properties": {"CANARY": {}}}}]},
    {"output_config": {"format": {"type": "json_schema", "schema": {"title": "CANARY"}}}},
]


@pytest.mark.parametrize("fields", CARRIERS)
def test_every_text_is_found(fields: dict[str, Any]) -> None:
    assert any("CANARY" in item.text for item in parsed(fields).items)


def test_spans_point_into_the_chat_body_and_prompts_can_be_corrupted() -> None:
    call = parsed({"system": "rules"})
    assert (call.protocol, call.upstream_path) == ("messages", "/v1/chat/completions")
    assert [(item.path, item.corruptible) for item in call.items] == [
        (("messages", 0, "content"), True),
        (("messages", 1, "content"), True),
    ]


def test_counting_asks_the_tokenizer_and_screens_nothing() -> None:
    body: JsonObject = {
        "model": "demo",
        "messages": [USER],
        "system": "rules",
        "tools": [TOOL],
        "thinking": {"type": "adaptive"},
    }
    call = CountTokensProtocol().parse(body, FieldRules(), None)

    assert (call.upstream_path, call.items, call.stream) == ("/tokenize", (), False)
    assert call.body == {
        "model": "demo",
        "messages": [{"role": "system", "content": "rules"}, USER],
        "tools": [CHAT_TOOL],
    }
    with pytest.raises(RequestError, match="max_tokens"):
        CountTokensProtocol().parse({**body, "max_tokens": 3}, FieldRules(drop_unknown=False), None)
