"""Every turn as the last of its conversation."""

from guard.screening.last_turns import LastTurns
from guard.terms.conversation import Said
from guard.terms.item import Author, Item


def item(author: Author, text: str) -> Item:
    return Item(("messages", 0), author, text, author=author)


ITEMS = [item("developer", "Rules."), item("user", "One"), item("assistant", "Two")]
ITEMS += [item("user", "Three"), item("user", "")]


def test_each_piece_stands_behind_what_was_said_before() -> None:
    turns = LastTurns(
        ITEMS, frozenset({"user"}), {"One": ("One",), "Three": ("Thr", "hree"), "Two": ("Two",)}, 99
    )
    found = [(turn.text, turn.before) for turn in turns.contents.values()]
    before = (Said("user", "One"), Said("assistant", "Two"))
    assert found == [("One", ()), ("Thr", before), ("hree", before)]


def test_an_item_has_the_highest_score_of_its_pieces() -> None:
    turns = LastTurns(ITEMS, frozenset({"user"}), {"One": ("One",), "Three": ("Thr", "hree")}, 99)
    scores = dict(zip(turns.contents, (0.25, 0.5, 0.75), strict=True))
    assert turns.item_scores(scores).tolist() == [0, 0.25, 0, 0.75, 0]
