"""How much a request makes a detector read: what is new counts by itself."""

import pytest

from guard.screening.amounts import windows_read
from guard.screening.cutting.cuts import EVERYBODY, Authors
from guard.terms.item import Author, Item

LONG = "word " * 300
"""1,500 characters: three windows."""
USERS: Authors = frozenset({"user"})


def message(place: int, role: str, text: str, author: Author) -> Item:
    """A message's text."""
    return Item(("messages", place, "content"), role, text, True, author)


def user(place: int, text: str = "hi") -> Item:
    """A message of the user's."""
    return message(place, "user", text, "user")


def answer(place: int, text: str = "yes") -> Item:
    """A message of the model's."""
    return message(place, "assistant", text, "assistant")


def result(place: int, text: str) -> Item:
    """What a tool gave back."""
    return message(place, "tool", text, "third_party")


@pytest.mark.parametrize(
    ("items", "authors", "expected"),
    [
        ([user(0)], EVERYBODY, [1]),
        ([user(0, LONG)], EVERYBODY, [3]),
        ([user(0, LONG), answer(1), user(2)], EVERYBODY, [5, 5, 1]),
        ([user(0, LONG), answer(1), user(2)], USERS, [4, 4, 1]),
        ([user(0), answer(1), result(2, LONG), result(3, LONG)], EVERYBODY, [8, 8, 6, 6]),
        # An answer that is to be continued is no earlier one.
        ([user(0), answer(1, LONG)], EVERYBODY, [4, 4]),
        ([Item(("prompt",), "user", LONG), Item(("stop",), "stop", "x")], EVERYBODY, [4, 4]),
        ([], EVERYBODY, []),
    ],
    ids=["one", "long", "new", "of some", "results", "prefill", "prompt", "nothing"],
)
def test_what_is_new_counts_by_itself(
    items: list[Item], authors: Authors, expected: list[int]
) -> None:
    assert windows_read(items, authors).tolist() == expected
