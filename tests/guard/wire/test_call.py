"""Texts inside JSON values."""

from typing import Any

import pytest

from guard.wire.call import field_items, strings


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

    items = field_items({"a": "b", "c": long}, ("tools",), "tools")

    assert [item.text for item in items] == [f"a\nb\nc\n{long}", long]
    assert not any(item.corruptible for item in items)


def test_blank_fields_have_no_items() -> None:
    assert field_items([" ", ""], ("stop",), "stop") == []
