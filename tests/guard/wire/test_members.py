"""Typed members: right ones pass, wrong ones are named with their path."""

from collections.abc import Callable
from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire import members

Reader = Callable[..., Any]

RIGHT: list[tuple[Reader, object, object]] = [
    (members.require_string, "a", "a"),
    (members.optional_string, None, None),
    (members.optional_record, {"a": 1}, {"a": 1}),
    (members.optional_record, None, {}),
    (members.optional_list, [1], [1]),
    (members.optional_list, None, []),
    (members.optional_flag, False, False),
    (members.optional_flag, None, None),
    (members.optional_count, 0, 0),
    (members.optional_count, None, None),
]
WRONG: list[tuple[Reader, object]] = [
    (members.require_string, None),
    (members.optional_string, 3),
    (members.optional_record, []),
    (members.optional_list, {}),
    (members.optional_flag, 1),
    (members.optional_count, True),
    (members.optional_count, -1),
    (members.optional_count, 1.5),
]


@pytest.mark.parametrize(("read", "value", "expected"), RIGHT)
def test_right_members(read: Reader, value: object, expected: object) -> None:
    assert read({"x": value}, "x", "input.0.") == expected


@pytest.mark.parametrize(("read", "value"), WRONG)
def test_wrong_members_are_named(read: Reader, value: object) -> None:
    with pytest.raises(RequestError) as caught:
        read({"x": value}, "x", "input.0.")
    assert caught.value.param == "input.0.x"
    assert "input.0.x" in caught.value.message


def test_words() -> None:
    assert members.optional_word({"x": "a"}, "x", {"a", "b"}) == "a"
    assert members.optional_word({}, "x", {"a", "b"}) is None
    for value in ("c", 3, ["a"]):
        with pytest.raises(RequestError, match="'x' must be one of a, b"):
            members.optional_word({"x": value}, "x", {"a", "b"})
