"""Input items into chat messages."""

from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire.fields import FieldRules
from guard.wire.responses.items import chat_messages

STRICT = FieldRules(drop_unknown=False)
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}", "id": "fc_1"}
CUSTOM = {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": 'a\n"b"'}
SHELL = {
    "type": "local_shell_call",
    "id": "lsh_1",
    "call_id": "c1",
    "status": "completed",
    "action": {"type": "exec", "command": ["ls", "-l"], "env": {}},
}
CHAT_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
THOUGHT: dict[str, Any] = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "hm"}],
    "encrypted_content": None,
}
REPLY = {
    "type": "message",
    "role": "assistant",
    "id": "msg_1",
    "status": "completed",
    "content": [{"type": "output_text", "text": "yes", "annotations": [], "logprobs": []}],
}


def called(name: str, arguments: str) -> dict[str, Any]:
    return {**CHAT_CALL, "function": {"name": name, "arguments": arguments}}


TRANSLATIONS: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = [
    ([{"role": "user", "content": "a"}], [{"role": "user", "content": "a"}]),
    (
        [{"type": "message", "role": "developer", "content": "a"}],
        [{"role": "developer", "content": "a"}],
    ),
    (
        [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}, {"type": "text", "text": "b"}],
            }
        ],
        [{"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]}],
    ),
    ([REPLY], [{"role": "assistant", "content": "yes"}]),
    (
        [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
        [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
    ),
    (
        [THOUGHT, REPLY, CALL, {**CALL, "call_id": "c2"}],
        [
            {
                "role": "assistant",
                "reasoning": "hm",
                "content": "yes",
                "tool_calls": [CHAT_CALL, {**CHAT_CALL, "id": "c2"}],
            }
        ],
    ),
    (
        [CALL, {"type": "function_call_output", "call_id": "c1", "output": "42"}, REPLY],
        [
            {"role": "assistant", "tool_calls": [CHAT_CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
            {"role": "assistant", "content": "yes"},
        ],
    ),
    (
        [
            {
                "type": "function_call_output",
                "call_id": "c1",
                "output": [{"type": "input_text", "text": "42"}],
            }
        ],
        [{"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "42"}]}],
    ),
    (
        [CALL, REPLY],
        [
            {"role": "assistant", "tool_calls": [CHAT_CALL]},
            {"role": "assistant", "content": "yes"},
        ],
    ),
    (
        [
            {
                "type": "reasoning",
                "summary": [
                    {"type": "summary_text", "text": "s1"},
                    {"type": "summary_text", "text": "s2"},
                ],
            }
        ],
        [{"role": "assistant", "reasoning": "s1\ns2"}],
    ),
    (
        [CUSTOM, {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"}],
        [
            {"role": "assistant", "tool_calls": [called("patch", '{"input": "a\\n\\"b\\""}')]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
        ],
    ),
    (
        [{**CALL, "name": "find", "namespace": "crm"}],
        [{"role": "assistant", "tool_calls": [called("crm__find", "{}")]}],
    ),
    (
        [SHELL, {"type": "local_shell_call_output", "id": "c1", "output": "a.txt"}],
        [
            {
                "role": "assistant",
                "tool_calls": [called("local_shell", '{"command": ["ls", "-l"], "env": {}}')],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "a.txt"},
        ],
    ),
    # What only OpenAI's servers can read, or ran, is passed over.
    (
        [
            {**THOUGHT, "content": None, "encrypted_content": "CANARY"},
            {"type": "web_search_call", "id": "ws_1", "action": {"query": "CANARY"}},
            REPLY,
        ],
        [{"role": "assistant", "content": "yes"}],
    ),
]


@pytest.mark.parametrize(("items", "expected"), TRANSLATIONS)
def test_items_become_messages(items: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert chat_messages(items, FieldRules()) == expected


USER = {"role": "user"}
WRONG: list[tuple[Any, str, str]] = [
    ("text", "input.1", "invalid_request"),
    ({"content": "x"}, "input.1.type", "field_refused"),
    ({"type": "item_reference", "id": "x"}, "input.1.type", "field_refused"),
    ({"type": "computer_call_output"}, "input.1.type", "field_refused"),
    ({"type": "custom_tool_call"}, "input.1.input", "invalid_request"),
    ({"type": "compaction", "encrypted_content": "x"}, "input.1.type", "field_refused"),
    ({"role": "tool", "content": "x"}, "input.1.role", "invalid_request"),
    ({"role": "user", "content": 3}, "input.1.content", "invalid_request"),
    ({"role": "user", "content": "x", "template": "y"}, "input.1.template", "unknown_field"),
    ({"role": "user", "content": ["x"]}, "input.1.content.0", "invalid_request"),
    (
        {"role": "user", "content": [{"type": "input_text"}]},
        "input.1.content.0.text",
        "invalid_request",
    ),
    (
        {"role": "user", "content": [{"type": "input_text", "text": "a", "hint": "b"}]},
        "input.1.content.0.hint",
        "unknown_field",
    ),
    (
        {"role": "user", "content": [{"type": "input_file", "file_id": "x"}]},
        "input.1.content.0.type",
        "field_refused",
    ),
    (
        {"role": "user", "content": [{"type": "prompt_embeds", "data": "x"}]},
        "input.1.content.0.type",
        "field_refused",
    ),
    (
        {"role": "user", "content": [{"type": "input_image", "image_url": "x"}]},
        "input.1.content.0",
        "media_refused",
    ),
    ({**CALL, "arguments": {}}, "input.1.arguments", "invalid_request"),
    ({**CALL, "namespace": 5}, "input.1.namespace", "invalid_request"),
    ({**CUSTOM, "input": {}}, "input.1.input", "invalid_request"),
    ({**SHELL, "action": "ls"}, "input.1.action", "invalid_request"),
    ({"type": "web_search_call", "id": "ws_1"}, "input.1.type", "field_refused"),
    ({"type": "function_call_output", "output": "x"}, "input.1.call_id", "invalid_request"),
    ({**THOUGHT, "content": [{"type": "x"}]}, "input.1.content.0.type", "field_refused"),
]


@pytest.mark.parametrize(("item", "param", "code"), WRONG)
def test_wrong_items_are_named(item: Any, param: str, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        chat_messages([{"role": "user", "content": "a"}, item], STRICT)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_media_pass_where_the_operator_takes_them_unscreened() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,x", "detail": "low"}
    audio = {"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}
    items = [{"role": "user", "content": [image, audio]}]
    messages = chat_messages(items, FieldRules(media_unscreened=True))
    url = {"url": "data:image/png;base64,x", "detail": "low"}
    assert messages[0]["content"] == [{"type": "image_url", "image_url": url}, audio]


def test_items_without_any_text_are_refused() -> None:
    with pytest.raises(RequestError) as caught:
        chat_messages([{"type": "reasoning", "summary": []}], FieldRules())
    assert caught.value.param == "input"
