"""Pictures of a request: equal ones are asked about once, and only those of some authors."""

from guard.screening.pictures import Pictures
from guard.terms.item import Item, Picture

RED, BLUE = Picture("image/png", b"red", 1, 1), Picture("image/png", b"blue", 1, 1)


def test_each_picture_is_asked_about_once() -> None:
    items = [
        Item(("a",), "user", RED),
        Item(("b",), "user", "a text"),
        Item(("c",), "user", RED),
        Item(("d",), "user", BLUE, author="developer"),
    ]
    pictures = Pictures(items, frozenset({"user"}))
    assert list(pictures.contents.values()) == [RED]
    assert pictures.item_scores({RED.digest: 0.5}).tolist() == [0.5, 0, 0.5, 0]
