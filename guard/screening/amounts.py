"""How much a request makes a detector read: what its thresholds rise with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from guard.screening.cutting.cuts import Authors
from guard.terms.item import Item
from guard.terms.thresholds import windows_of

ANSWER = "assistant"


def windows_read(items: Sequence[Item], authors: Authors) -> NDArray[np.int64]:
    """For each item (n,) the windows that are read beside it, itself included.

    A chat sends its history again with every turn. What stood in it when it was answered was judged
    then, so what is new since the last answer counts by itself: a long conversation makes nobody
    blind to its last turn. The rest counts with everything.
    """
    sizes = np.array(
        [windows_of(len(item.text)) if item.author in authors else 0 for item in items],
        dtype=np.int64,
    )
    last = last_answer(items)
    is_new = np.array([message_of(item) > last for item in items], dtype=bool)
    read: NDArray[np.int64] = np.where(is_new, sizes[is_new].sum(), sizes.sum())
    return read


def last_answer(items: Sequence[Item]) -> float:
    """The place of the last message of the model's that another one follows; -1 for none."""
    places = [message_of(item) for item in items if item.path[0] == "messages"]
    end = max(places, default=-1)
    answers = [message_of(item) for item in items if item.role == ANSWER]
    return max((place for place in answers if place < end), default=-1)


def message_of(item: Item) -> float:
    """Which message an item stands in; settings stand behind all of them."""
    place = item.path[1] if item.path[0] == "messages" and len(item.path) > 1 else None
    return place if isinstance(place, int) else np.inf
