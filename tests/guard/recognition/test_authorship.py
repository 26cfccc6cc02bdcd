"""Whose words the texts of a request are, by its key."""

from typing import Any

import pytest

from guard.recognition.authorship import Authorship
from guard.settings import Settings
from guard.terms.item import Author
from guard.wire.fields import FieldRules
from guard.wire.protocols import CHAT

TOOL = "type\nfunction\nfunction\nname\nlook"
BODY: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "rules"},
        {"role": "user", "content": "question"},
        {"role": "assistant", "content": "answer"},
        {"role": "tool", "tool_call_id": "c", "content": "result"},
    ],
    "tools": [{"type": "function", "function": {"name": "look"}}],
    "stop": ["end"],
}
PLAIN: dict[str, Author] = {
    "rules": "developer",
    "question": "user",
    "answer": "user",  # nobody has let it out
    "result": "third_party",
    "c": "third_party",
    TOOL: "developer",
    "end": "developer",
}


def settings(trust: dict[str, str], of_key: dict[str, str]) -> Settings:
    key = {"name": "app", "sha256": "0" * 64, "trust": of_key}
    return Settings.model_validate(
        {"upstream": {"url": "http://127.0.0.1:9"}, "trust": trust, "keys": [key]}
    )


@pytest.mark.parametrize(
    ("trust", "of_key", "changed"),
    [
        ({}, {}, {}),
        ({"developer_text": "user"}, {}, {"rules": "user", TOOL: "user", "end": "user"}),
        ({"developer_text": "user"}, {"developer_text": "trusted"}, {}),
        ({}, {"tools_from": "third_party"}, {TOOL: "third_party"}),
        (
            {"tools_from": "third_party"},
            {"developer_text": "user"},
            {"rules": "user", TOOL: "third_party", "end": "user"},
        ),
    ],
)
async def test_the_key_says_whom_it_trusts(
    trust: dict[str, str], of_key: dict[str, str], changed: dict[str, Author]
) -> None:
    call = CHAT.parse(BODY, FieldRules(), None)
    authored = await Authorship(settings(trust, of_key), None).authored(call, "app")
    assert {item.text: item.author for item in authored.items} == {**PLAIN, **changed}


async def test_a_key_of_no_section_is_trusted_as_all_are() -> None:
    call = CHAT.parse(BODY, FieldRules(), None)
    authored = await Authorship(settings({"developer_text": "user"}, {}), None).authored(call, "")
    assert {item.author for item in authored.items} == {"user", "third_party"}
