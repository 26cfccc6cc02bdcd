"""What is written in the pictures of a request, in their places among its texts."""

from collections.abc import Sequence

from guard.terms.item import Call, Item, Path
from guard.terms.json import JsonObject
from guard.wire.call import replace_at


def picture_paths(items: Sequence[Item]) -> frozenset[Path]:
    """Where pictures stand: texts of the same places are what was read in them."""
    return frozenset(item.path for item in items if item.picture)


def readable_body(call: Call) -> JsonObject:
    """The body with a text in the place of each picture in which something is written."""
    pictures = picture_paths(call.items)
    body = call.body
    for item in call.items if pictures else ():
        if item.text and item.path in pictures:
            body = replace_at(body, item.path, {"type": "text", "text": item.text})
    return body
