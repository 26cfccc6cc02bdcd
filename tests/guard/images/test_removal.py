from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from guard.images.removal import NOTE, hidden, places_of, white, without_pictures
from guard.terms.item import Call, Item, Picture
from guard.terms.verdict import Action, Finding, Verdict

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
FIRST, SECOND = ("messages", 0, "content", 1), ("messages", 0, "content", 2)


def call() -> Call:
    """A text, a picture with text in it, and one without."""
    content = [{"type": "text", "text": "a"}, PICTURE, PICTURE]
    seen = Picture("image/png", b"x", 20, 10)
    items = (
        Item(("messages", 0, "content", 0), "user", "a", corruptible=True),
        Item(FIRST, "user", seen),
        Item(FIRST, "user", "b"),
        Item(SECOND, "user", seen),
    )
    body: dict[str, object] = {"messages": [{"role": "user", "content": content}]}
    return Call("chat", "/v1/chat/completions", body, "m", stream=False, items=items)


def sent(body: dict[str, object]) -> list[dict[str, object]]:
    return body["messages"][0]["content"]  # type: ignore[index, no-any-return]


def finding(*items: int) -> Finding:
    return Finding("p", "d", Action.CORRUPT, 1.0, 0.5, items)


def test_a_picture_and_its_text_stand_in_one_place() -> None:
    assert places_of(call()) == {FIRST: (1, 2), SECOND: (3,)}


def test_a_note_stands_in_the_place_of_a_picture() -> None:
    left = without_pictures(call(), [FIRST], blank=False)
    assert sent(left.body) == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": NOTE},
        PICTURE,
    ]
    assert [item.path for item in left.items] == [("messages", 0, "content", 0), SECOND]


def test_a_blank_picture_is_as_large() -> None:
    part = sent(without_pictures(call(), [SECOND], blank=True).body)[2]
    assert part["type"] == "image_url"
    assert part != PICTURE


def test_what_is_hidden_is_taken_from_the_verdict() -> None:
    found = finding(0, 2)
    changed, rest = hidden(call(), Verdict((found,)), [found])
    assert sent(changed.body)[1] != PICTURE
    assert sent(changed.body)[2] == PICTURE
    assert rest.items(Action.CORRUPT) == (0,)
    assert changed.items == call().items


def test_without_a_picture_in_a_finding_nothing_changes() -> None:
    found = finding(0)
    assert hidden(call(), Verdict((found,)), [found]) == (call(), Verdict((found,)))


@given(st.integers(1, 70), st.integers(1, 20))
def test_white_is_white_and_of_its_size(width: int, height: int) -> None:
    with Image.open(BytesIO(white(width, height))) as image:
        assert image.size == (width, height)
        assert image.convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize("size", [(1, 1), (4000, 3000)])
def test_white_is_small(size: tuple[int, int]) -> None:
    assert len(white(*size)) < 10_000
