"""Responses requests: the closed table, and what each field becomes in the chat call."""

from collections.abc import Mapping
from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.terms.sampling_defaults import SamplingDefaults
from guard.wire.fields import NEUTRAL, FieldRules, Rule
from guard.wire.responses import ResponsesProtocol
from guard.wire.responses.call import ResponsesCall, as_responses_call
from guard.wire.responses.fields import RESPONSES_FIELDS, SAME, UNTRANSLATABLE

# `ResponsesRequest` of vLLM 0.32.0; tests/e2e compares with the installed one.
VLLM_NAMES = """
background cache_salt chat_template_kwargs ec_transfer_params enable_response_messages
frequency_penalty ignore_eos include include_reasoning include_stop_str_in_output input
instructions kv_transfer_params logit_bias max_output_tokens max_tool_calls media_io_kwargs metadata
min_p mm_payload mm_processor_kwargs model parallel_tool_calls presence_penalty
previous_input_messages previous_response_id priority prompt prompt_cache_key reasoning
repetition_penalty request_id return_mm_kwargs seed service_tier session_id skip_special_tokens stop
stop_token_ids store stream structured_outputs temperature text tool_choice tools top_k top_logprobs
top_p truncation user vllm_xargs watermarking
"""
OPENAI_NAMES = """
access_programs background_options context_management conversation image moderation
prompt_cache_options prompt_cache_retention safety_identifier stream_options
"""
TOOL: dict[str, Any] = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def parsed(fields: Mapping[str, object], **rules: Any) -> ResponsesCall:
    body = {"model": "demo", "input": "hi", **fields}
    return as_responses_call(ResponsesProtocol().parse(body, FieldRules(**rules), None))


def test_table_covers_vllm_and_openai() -> None:
    assert {*VLLM_NAMES.split(), *OPENAI_NAMES.split()} <= RESPONSES_FIELDS.keys()


@pytest.mark.parametrize(
    "name", sorted(n for n, r in RESPONSES_FIELDS.items() if r is Rule.REFUSED)
)
def test_refused_fields_are_named(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        parsed({name: {"x": "y"}})
    assert (caught.value.param, caught.value.code) == (name, "field_refused")


@pytest.mark.parametrize("name", sorted(UNTRANSLATABLE))
def test_what_has_no_chat_form_stays_refused_when_allowed_by_name(name: str) -> None:
    with pytest.raises(RequestError, match="not available"):
        parsed({name: {"x": "y"}}, allowed=frozenset({name}))


@pytest.mark.parametrize("name", sorted(n for n, r in SAME.items() if r is Rule.REFUSED))
def test_what_has_a_chat_form_is_carried_when_allowed_by_name(name: str) -> None:
    assert parsed({name: 7}, allowed=frozenset({name})).body[name] == 7


@pytest.mark.parametrize(
    "name", sorted(n for n, r in RESPONSES_FIELDS.items() if r is Rule.DROPPED)
)
def test_dropped_fields_do_not_reach_the_model(name: str) -> None:
    value: Any = {"store": True, "metadata": {"a": "b"}, "max_tool_calls": 3}.get(name, "x")
    assert name not in parsed({name: value}).body


NEUTRAL_HERE = [(name, value) for name, value in NEUTRAL.items() if name in RESPONSES_FIELDS]


@pytest.mark.parametrize(("name", "value"), NEUTRAL_HERE)
def test_values_that_ask_for_nothing_pass(name: str, value: object) -> None:
    assert name not in parsed({name: value}).body


def test_unknown_fields_are_dropped_or_refused() -> None:
    assert "guided_json" not in parsed({"guided_json": {}}).body
    with pytest.raises(RequestError, match="Unknown field: guided_json"):
        parsed({"guided_json": {}}, drop_unknown=False)


SAME_VALUES: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 4,
    "min_p": 0.1,
    "presence_penalty": 1,
    "frequency_penalty": 1,
    "repetition_penalty": 1.1,
    "seed": 7,
    "stop": ["END"],
    "stop_token_ids": [3],
    "ignore_eos": True,
    "skip_special_tokens": False,
    "spaces_between_special_tokens": False,
    "include_stop_str_in_output": True,
    "watermarking": False,
    "structured_outputs": {"regex": "a+"},
    "include_reasoning": False,
    "parallel_tool_calls": False,
}


def test_sampling_is_carried_under_its_own_name() -> None:
    body = parsed(SAME_VALUES).body
    assert {name: body[name] for name in SAME_VALUES} == SAME_VALUES


SHOWN: dict[str, Any] = {"name": "f", "parameters": {"type": "object"}, "strict": False}
TRANSLATIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"max_output_tokens": 9}, {"max_completion_tokens": 9}),
    ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}),
    ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
    (
        {"include": ["message.output_text.logprobs"], "top_logprobs": 3},
        {"logprobs": True, "top_logprobs": 3},
    ),
    ({"include": ["file_search_call.results"], "top_logprobs": 3}, {}),
    ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, {}),
    (
        {"text": {"format": {"type": "json_object"}}},
        {"response_format": {"type": "json_object"}},
    ),
    (
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {}, "strict": True},
            }
        },
    ),
    ({"tool_choice": "auto", "tools": []}, {}),
    (
        {"tools": [{**TOOL, "strict": None, "defer_loading": None}], "tool_choice": "required"},
        {
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
            ],
            "tool_choice": "required",
        },
    ),
    (
        {"tools": [{**TOOL, "strict": False, "defer_loading": True}]},
        {"tools": [{"type": "function", "function": {**SHOWN, "defer_loading": True}}]},
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "name": "f"}},
        {
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
        },
    ),
]


@pytest.mark.parametrize(("fields", "expected"), TRANSLATIONS)
def test_renamed_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    body = parsed(fields).body
    messages = [{"role": "user", "content": "hi"}]
    assert body == {"model": "demo", "messages": messages, **expected}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"input": 3}, "input"),
    ({"input": []}, "input"),
    ({"instructions": ["x"]}, "instructions"),
    ({"max_output_tokens": "9"}, "max_output_tokens"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"max_output_tokens": True}, "max_output_tokens"),
    ({"store": "yes"}, "store"),
    ({"stream": "yes"}, "stream"),
    ({"include": "x"}, "include"),
    ({"include": [[]]}, "include.0"),
    ({"top_logprobs": -1}, "top_logprobs"),
    ({"top_logprobs": 101, "include": ["message.output_text.logprobs"]}, "top_logprobs"),
    ({"reasoning": "low"}, "reasoning"),
    ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
    ({"reasoning": {"depth": 3}}, "reasoning.depth"),
    ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
    ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
    ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
    ({"text": {"template": "x"}}, "text.template"),
    (
        {"text": {"format": {"type": "json_object"}}, "structured_outputs": {"regex": "a"}},
        "structured_outputs",
    ),
    ({"tools": {}}, "tools"),
    ({"tools": ["f"]}, "tools.0"),
    ({"tools": [TOOL, {"type": "web_search"}]}, "tools.1.type"),
    ({"tools": [{"type": "mcp", "server_url": "http://x"}]}, "tools.0.type"),
    ({"tools": [{"type": "function"}]}, "tools.0.name"),
    ({"tools": [{**TOOL, "parameters": "x"}]}, "tools.0.parameters"),
    ({"tools": [{**TOOL, "hint": "x"}]}, "tools.0.hint"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"type": "web_search"}}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice.name"),
    ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
    ({"metadata": {"k" * 65: "x"}}, "metadata"),
    ({"metadata": {"k": "v" * 513}}, "metadata"),
    ({"metadata": {"k": 1}}, "metadata"),
    ({"truncation": "auto"}, "truncation"),
    ({"background": True}, "background"),
    ({"user": 3}, "user"),
    ({"logit_bias": {"5": 3}}, "logit_bias"),
]


@pytest.mark.parametrize(("fields", "param"), WRONG)
def test_wrong_values_are_named_as_the_client_knows_them(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parsed(fields, drop_unknown=False)
    assert caught.value.param == param
    assert caught.value.status == 400


CARRIERS: list[dict[str, Any]] = [
    {"input": "CANARY"},
    {"instructions": "CANARY"},
    {"stop": "CANARY"},
    {"structured_outputs": {"regex": "CANARY"}},
    {"tools": [{**TOOL, "description": "CANARY"}]},
    {"tools": [{**TOOL, "parameters": {"properties": {"CANARY": {}}}}]},
    {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"title": "CANARY"}}}},
]


@pytest.mark.parametrize("fields", CARRIERS)
def test_every_text_is_found(fields: dict[str, Any]) -> None:
    assert any("CANARY" in item.text for item in parsed(fields).items)


def test_spans_point_into_the_chat_body_and_prompts_can_be_corrupted() -> None:
    call = parsed({"instructions": "rules", "input": "question"})
    assert call.upstream_path == "/v1/chat/completions"
    assert [(item.path, item.corruptible) for item in call.items] == [
        (("messages", 0, "content"), True),
        (("messages", 1, "content"), True),
    ]


def test_request_comes_back_in_the_echo() -> None:
    fields: dict[str, Any] = {
        "metadata": {"a": "b"},
        "user": "u",
        "tools": [TOOL],
        "tool_choice": "required",
        "temperature": 0.2,
        "reasoning": {"effort": "high"},
    }
    echo = parsed(fields).echo
    assert {name: echo[name] for name in fields if name not in ("tools", "reasoning")} == {
        name: value for name, value in fields.items() if name not in ("tools", "reasoning")
    }
    assert parsed({"max_output_tokens": 5}).most_tokens == 5
    assert echo["tools"] == [{**TOOL, "description": None, "strict": None}]
    assert echo["reasoning"] == {"effort": "high", "summary": None}
    assert echo["store"] is True


def test_what_is_not_said_comes_back_as_vllm_samples() -> None:
    sampling = SamplingDefaults(temperature=0.7, top_p=0.8, frequency_penalty=0.1)
    names = ("temperature", "top_p", "presence_penalty", "frequency_penalty")

    assert [parsed({}).echo[name] for name in names] == [1.0, 1.0, 0.0, 0.0]
    assert [parsed({}, sampling=sampling).echo[name] for name in names] == [0.7, 0.8, 0.0, 0.1]
    assert parsed({"temperature": 0, "top_p": 0.5}, sampling=sampling).echo["top_p"] == 1.0


def test_what_is_not_sent_is_not_made_up() -> None:
    echo = parsed({}).echo
    assert (echo["metadata"], echo["text"], echo["tool_choice"]) == (None, None, "none")
    assert parsed({"tools": [TOOL]}).echo["tool_choice"] == "auto"


LAST: dict[str, Any] = {"role": "assistant", "content": "It was"}
RESULT: dict[str, Any] = {"type": "function_call_output", "call_id": "c", "output": "x"}


@pytest.mark.parametrize(
    ("last", "continued"),
    [
        ({**LAST, "status": "incomplete"}, True),
        ({**LAST, "type": "message", "status": "in_progress"}, True),
        ({**LAST, "status": "completed"}, False),
        (LAST, False),
        ({**RESULT, "status": "incomplete"}, False),
    ],
)
def test_an_unfinished_message_is_continued(last: dict[str, Any], continued: bool) -> None:
    body = parsed({"input": [{"role": "user", "content": "hi"}, last]}).body
    assert body.get("continue_final_message", False) is continued
    assert body.get("add_generation_prompt", True) is not continued
