"""Texts inside JSON values."""

from typing import Any

import pytest

from guard.wire.call import field_spans, strings


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a", ["a"]),
        (["a", ["b"], {"c": "d"}], ["a", "b", "c", "d"]),
        ({"a": {"b": ["c"]}, "d": 1.5}, ["a", "b", "c", "d", "1.5"]),
        (5, ["5"]),
        ([True, False], []),
        (None, []),
    ],
)
def test_strings_come_in_document_order_keys_included(value: Any, found: list[str]) -> None:
    assert list(strings(value)) == found


def test_field_spans_join_all_and_repeat_long_strings() -> None:
    long = "x" * 50

    spans = field_spans({"a": "b", "c": long}, ("tools",), "tools")

    assert [span.text for span in spans] == [f"a\nb\nc\n{long}", long]
    assert not any(span.corruptible for span in spans)


def test_blank_fields_have_no_spans() -> None:
    assert field_spans([" ", ""], ("stop",), "stop") == []
