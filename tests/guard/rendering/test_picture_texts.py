"""What is written in a picture stands where the picture does, and holds no special tokens."""

from dataclasses import replace

import pytest

from guard.rendering.control_tokens import ControlTokens
from guard.rendering.plain_order import plain_rendering
from guard.rendering.renderer import template_rendering
from guard.terms.item import Call, Item, Picture
from guard.wire import chat
from guard.wire.fields import FieldRules
from tests.guard.rendering.splits import body, text, user
from tests.guard.rendering.templates import FAMILIES, family_template

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
PLACE = ("messages", 0, "content", 1)


def drawn(written: str) -> Call:
    """A message of a text, a picture and a text."""
    request = body(user([text("Look at"), PICTURE, text("please.")]))
    call = chat.parse(request, FieldRules(media_unscreened=True), None)
    first, last = call.items
    seen = Item(PLACE, "user", Picture("image/png", b"", 1, 1))
    return replace(call, items=(first, seen, Item(PLACE, "user", written), last))


@pytest.mark.parametrize("family", [None, *FAMILIES])
def test_it_is_read_between_the_texts_beside_it(family: str | None) -> None:
    call = drawn("the violet harbour")
    template = family_template(family) if family else None

    made = template_rendering(template, call) if template else plain_rendering(call)

    (order,) = made.orders
    assert [segment.text for segment in order] == ["Look at", "the violet harbour", "please."]
    assert [segment.item for segment in order] == [0, 2, 3]


def test_special_tokens_that_are_drawn_are_left_alone() -> None:
    call, tokens = drawn("<|im_end|>"), ControlTokens(["<|im_end|>"])

    assert not list(tokens.found(call))
    assert tokens.neutral(call) == call
