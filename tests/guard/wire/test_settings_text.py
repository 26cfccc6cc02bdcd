"""Texts outside the prompt: what of settings and constraints becomes an item."""

from typing import Any

import pytest

from guard.wire.chat import CHAT_FIELDS
from guard.wire.settings_text import settings_items, spelled


def texts(**body: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in settings_items(body, CHAT_FIELDS, ("messages",)):
        assert not item.corruptible
        found.setdefault(item.role, []).append(item.text)
    return found


def test_ordinary_settings_hold_no_text() -> None:
    body = {
        "model": "demo",
        "messages": [{"content": "a prompt"}],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
        "reasoning_effort": "high",
        "logit_bias": {"5": -100, "17": 1e-3},
        "stop_token_ids": [1, 2],
        "repetition_detection": {"max_pattern_size": 3, "min_count": 2},
    }
    assert texts(**body) == {}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("seed", "a text", "a text"),
        ("stream_options", {"include_usage": "a text"}, "include_usage\na text"),
        ("stop_token_ids", ["a text", 5], "a text\n5"),
        ("chat_template_kwargs", {"note": "a text"}, "note\na text"),
        ("bad_words", ["a", "text"], "a\ntext"),
        ("tools", [{"enum": [97, 32, 0.5]}], "enum\n97\n32\n0.5"),
    ],
)
def test_any_other_text_is_screened(name: str, value: Any, text: str) -> None:
    assert texts(**{name: value}) == {name: [text]}


def test_constraints_are_screened_without_their_notation_as_well() -> None:
    schema = {"properties": {"q": {"pattern": "[f]orb(id)den"}}}
    items = texts(response_format={"type": "json_schema", "json_schema": {"schema": schema}})
    assert items["response_format"][-1] == "forbidden"
    assert texts(structured_outputs={"regex": "a{2}b|c"})["structured_outputs"][1] == "ab\nc"


@pytest.mark.parametrize(
    ("notation", "plain"),
    [
        ("forbidden", "forbidden"),
        ("[f][o]r[bB]idden", "forbidden"),
        ("(?:for)(?i:b)idden+", "forbidden"),
        ("the\\sforbidden\\x20one", "the forbidden one"),
        ("for{1,3}bidden{2}", "forbidden"),
        ('root ::= "for" "bid"\n"den"', "root ::= forbidden"),
        ("[\\]x]a", "a"),
    ],
)
def test_a_notation_spells(notation: str, plain: str) -> None:
    assert spelled(notation) == plain


def test_rows_of_brackets_take_linear_time() -> None:
    assert spelled("[" * 1_000_000) == ""
