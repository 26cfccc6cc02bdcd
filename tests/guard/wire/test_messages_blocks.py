"""Content blocks into chat messages."""

from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire.fields import FieldRules
from guard.wire.messages.blocks import read_conversation

STRICT = FieldRules(drop_unknown=False)
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}}
CHAT_IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def result(content: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "c1", "content": content, "is_error": False}


TRANSLATIONS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"role": "user", "content": "a"}, [{"role": "user", "content": "a"}]),
    (
        {"role": "user", "content": [{**text("a"), "cache_control": {"type": "ephemeral"}}]},
        [{"role": "user", "content": "a"}],
    ),
    (
        {"role": "user", "content": [text("a"), text("b")]},
        [{"role": "user", "content": [text("a"), text("b")]}],
    ),
    ({"role": "system", "content": [text("a")]}, [{"role": "system", "content": "a"}]),
    (
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "redacted_thinking", "data": "opaque"},
                text("yes"),
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": "ß"}},
            ],
        },
        [
            {
                "role": "assistant",
                "reasoning": "hm",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":"ß"}'},
                    }
                ],
                "content": "yes",
            }
        ],
    ),
    (
        {"role": "user", "content": [result("42")]},
        [{"role": "tool", "tool_call_id": "c1", "content": "42"}],
    ),
    (
        {"role": "user", "content": [text("so?"), result([text("4"), text("2")])]},
        [
            {"role": "tool", "tool_call_id": "c1", "content": "4\n2"},
            {"role": "user", "content": "so?"},
        ],
    ),
    (
        {"role": "user", "content": [result(None)]},
        [{"role": "tool", "tool_call_id": "c1", "content": ""}],
    ),
]


@pytest.mark.parametrize(("message", "expected"), TRANSLATIONS)
def test_messages_translate(message: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    assert read_conversation({"messages": [message]}, FieldRules()).messages == expected


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("rules", ["rules"]),
        ([text("a"), text("b")], ["ab"]),
        ([text("x-anthropic-billing-header: v=1"), text("b")], ["b"]),
        ([], []),
        ("", []),
        (None, []),
    ],
)
def test_system_is_one_message(system: Any, expected: list[str]) -> None:
    accepted = {"system": system, "messages": [{"role": "user", "content": "a"}]}
    messages = read_conversation(accepted, FieldRules()).messages
    assert [m["content"] for m in messages if m["role"] == "system"] == expected


def test_images_pass_where_the_operator_takes_them_unscreened() -> None:
    by_url = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    content = [text("a"), IMAGE, by_url, result([text("b"), IMAGE])]
    accepted: dict[str, Any] = {"messages": [{"role": "user", "content": content}]}
    read = read_conversation(accepted, FieldRules(media_unscreened=True))
    assert read.quoted == {1}
    assert read.messages == [
        {"role": "tool", "tool_call_id": "c1", "content": "b"},
        {"role": "user", "content": [CHAT_IMAGE]},
        {
            "role": "user",
            "content": [
                text("a"),
                CHAT_IMAGE,
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ],
        },
    ]


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


WRONG: list[tuple[Any, str, str]] = [
    ("text", "messages.1", "invalid_request"),
    ({"content": "x"}, "messages.1.role", "invalid_request"),
    ({"role": "tool", "content": "x"}, "messages.1.role", "invalid_request"),
    ({"role": "user"}, "messages.1.content", "invalid_request"),
    ({"role": "user", "content": "x", "name": "y"}, "messages.1.name", "unknown_field"),
    (user("x"), "messages.1.content.0", "invalid_request"),
    (user({"type": "text"}), "messages.1.content.0.text", "invalid_request"),
    (user({"type": "text", "text": "a", "x": 1}), "messages.1.content.0.x", "unknown_field"),
    (user({"type": "document", "source": {}}), "messages.1.content.0.type", "field_refused"),
    (user({"type": "search_result"}), "messages.1.content.0.type", "field_refused"),
    (user({"type": "prompt_embeds"}), "messages.1.content.0.type", "field_refused"),
    (user({"type": "tool_use"}), "messages.1.content.0.type", "field_refused"),
    (user(IMAGE), "messages.1.content.0", "media_refused"),
    (user(result([IMAGE])), "messages.1.content.0.content.0", "media_refused"),
    (user(result([{"type": "x"}])), "messages.1.content.0.content.0.type", "field_refused"),
    (user({"type": "tool_result"}), "messages.1.content.0.tool_use_id", "invalid_request"),
    (
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "f", "input": 3}],
        },
        "messages.1.content.0.input",
        "invalid_request",
    ),
    (
        {"role": "assistant", "content": [{"type": "thinking"}]},
        "messages.1.content.0.thinking",
        "invalid_request",
    ),
    (
        {"role": "system", "content": [{"type": "tool_addition"}]},
        "messages.1.content.0.type",
        "field_refused",
    ),
]


@pytest.mark.parametrize(("message", "param", "code"), WRONG)
def test_wrong_messages_are_named(message: Any, param: str, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_conversation({"messages": [user(text("a")), message]}, STRICT)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    ("source", "param"),
    [
        ({"type": "file", "file_id": "x"}, "type"),
        ({"type": "base64", "data": "x"}, "media_type"),
        ({"type": "url"}, "url"),
    ],
)
def test_wrong_image_sources_are_named(source: dict[str, Any], param: str) -> None:
    accepted: dict[str, Any] = {"messages": [user({"type": "image", "source": source})]}
    with pytest.raises(RequestError) as caught:
        read_conversation(accepted, FieldRules(media_unscreened=True))
    assert caught.value.param == f"messages.0.content.0.source.{param}"


def test_wrong_system_blocks_are_named() -> None:
    with pytest.raises(RequestError) as caught:
        read_conversation({"system": [IMAGE], "messages": []}, FieldRules())
    assert caught.value.param == "system.0.type"
