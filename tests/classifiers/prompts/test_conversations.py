"""Whole requests for calibration: every text with its author, malicious rows left out."""

import gzip
from pathlib import Path

import orjson
import pytest

from classifiers.prompts.conversations import read_conversations
from guard.terms.errors import ConfigError

ROWS = [
    {"text": "Good morning."},
    {"text": "Hi", "system": "You are a clerk.", "label": "benign"},
    {"text": "an attack", "label": "malicious"},
    {
        "messages": [
            {"role": "system", "content": "You are a clerk."},
            {"role": "user", "content": "What is in the file?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "content": "some text", "tool_call_id": "1"},
        ],
        "label": 0,
    },
]


def written(folder: Path, *rows: object) -> str:
    """A gzipped file of these rows."""
    file = folder / "rows.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n".join(orjson.dumps(row) for row in rows)))
    return str(file)


def test_harmless_rows_are_requests_with_authors(tmp_path: Path) -> None:
    first, second, third = read_conversations(written(tmp_path, *ROWS))
    assert [(item.author, item.text) for item in first] == [("user", "Good morning.")]
    assert [item.author for item in second] == ["developer", "user"]
    # Calls of the assistant are answers that the guard let out.
    assert {item.author for item in third} == {"developer", "user", "assistant", "third_party"}
    assert [item.text for item in third if item.author == "third_party"] == ["some text", "1"]


def test_answers_that_no_guard_knows_are_the_callers_text(tmp_path: Path) -> None:
    source = written(tmp_path, *ROWS)
    known, unknown = (read_conversations(source, knows_answers=known)[2] for known in (True, False))
    assert [item.author for item in known][:3] == ["developer", "user", "assistant"]
    assert [item.author for item in unknown][:3] == ["developer", "user", "user"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"messages": "hello"}, r"rows\.jsonl\.gz:1: messages"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, r":1: messages\.0\.role"),
        ({"text": "x", "label": "malicious"}, "no conversations"),
    ],
)
def test_what_is_no_request_is_named(tmp_path: Path, row: object, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_conversations(written(tmp_path, row))
