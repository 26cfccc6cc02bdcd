"""The order of items that come without a request: turns as they are listed."""

from collections.abc import Sequence

from guard.screening.cutting.windows import USER_ROLES
from guard.terms.item import Item
from guard.terms.rendering import Order, Rendering, Segment


def order_of(items: Sequence[Item]) -> Rendering:
    """What is said in turns, in the order of the items; and the user's turns alone."""
    said = [index for index, item in enumerate(items) if is_said(item)]
    own = [index for index in said if items[index].role in USER_ROLES]
    return Rendering((_segments(items, said),), (_segments(items, own),))


def is_said(item: Item) -> bool:
    """Whether an item is something said in a turn, not a name, a tool or a constraint."""
    return item.corruptible or "content" in item.path


def _segments(items: Sequence[Item], chosen: Sequence[int]) -> Order:
    return tuple(Segment(items[index].text, index) for index in chosen if items[index].text)
