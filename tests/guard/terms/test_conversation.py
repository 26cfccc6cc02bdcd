"""Turns of a conversation: whose they are, how many are kept, and what they are known by."""

from itertools import pairwise

import pytest

from guard.terms.conversation import LastTurn, Said, latest, turns_of
from guard.terms.item import AUTHORS, Author, Item


def item(author: Author, text: str) -> Item:
    return Item(("messages", 0), author, text, author=author)


def test_rules_are_no_turns_and_quotes_are_the_users() -> None:
    said = turns_of([item(author, author) for author in AUTHORS] + [item("user", " ")])
    assert said == [
        Said("user", "user"),
        Said("assistant", "assistant"),
        Said("user", "third_party"),
    ]


@pytest.mark.parametrize(
    ("characters", "kept"),
    [(0, []), (2, ["fg"]), (3, ["efg"]), (5, ["cd", "efg"]), (6, ["bcd", "efg"])],
)
def test_the_latest_turns_are_kept(characters: int, kept: list[str]) -> None:
    turns = [Said("user", "abcd"), Said("assistant", "efg")]
    assert [turn.text for turn in latest(turns, characters)] == kept


def test_no_two_conversations_are_known_alike() -> None:
    found = sorted(
        turn.digest
        for turn in (
            LastTurn("ab", ()),
            LastTurn("b", (Said("user", "a"),)),
            LastTurn("b", (Said("assistant", "a"),)),
            LastTurn("", (Said("user", "ab"),)),
            LastTurn("\ud800", ()),
        )
    )
    assert all(one != other for one, other in pairwise(found))
