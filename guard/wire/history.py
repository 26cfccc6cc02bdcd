"""Earlier turns of a conversation, and conversations without some of them.

A turn is a user's message and all that follows it up to the user's next one: the answer, tool calls
and their results, also the pictures of a tool, which stand under the user's name. The messages
before the first one belong to no turn.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from guard.terms.item import Call, Item, Path
from guard.terms.json import JsonObject
from guard.wire.authors import authored

MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Turn:
    """Messages `start` to `end` (not included) of a chat request."""

    start: int
    end: int


def earlier_turns(call: Call) -> list[Turn]:
    """The turns of a chat request but the one that is to be answered, in order."""
    return list(_turns(call))[:-1]


def turns_of(call: Call, items: Collection[int]) -> list[Turn] | None:
    """The earlier turns in which those items (by index) stand; None if one stands elsewhere.

    Elsewhere are the turn to be answered, what stands before all turns, and fields beside the
    messages: a request cannot go on without those.
    """
    turns = earlier_turns(call)
    found: dict[int, Turn] = {}
    for index in items:
        place = _message_index(call.items[index].path)
        turn = next((turn for turn in turns if turn.start <= place < turn.end), None)
        if turn is None:
            return None
        found[turn.start] = turn
    return [found[start] for start in sorted(found)]


def without_turns(call: Call, turns: Sequence[Turn], note: str | None = None) -> Call:
    """The same request without those turns; a `note` of the user's stands in the place of each.

    The items are those of the messages that are left, with their new paths.
    """
    messages = call.body[MESSAGES]
    assert isinstance(messages, list)  # noqa: S101 - turns_of found turns in it
    kept: list[JsonObject] = []
    places: dict[int, int] = {}
    notes: list[Item] = []
    starts = {turn.start for turn in turns}
    cut = {index for turn in turns for index in range(turn.start, turn.end)}
    for index, message in enumerate(messages):
        if index in starts and note is not None:
            path: Path = (MESSAGES, len(kept), "content")
            notes.append(authored(path, "user", note, corruptible=True))
            kept.append({"role": "user", "content": note})
        if index not in cut:
            places[index] = len(kept)
            kept.append(message)
    moved = (_moved(item, places) for item in call.items)
    items = (*notes, *(item for item in moved if item is not None))
    quoted = frozenset(places[index] for index in call.quoted if index in places)
    return replace(call, body={**call.body, MESSAGES: kept}, items=items, quoted=quoted)


def _turns(call: Call) -> Iterator[Turn]:
    messages = call.body.get(MESSAGES)
    if not isinstance(messages, list):
        return
    starts = [
        index
        for index, message in enumerate(messages)
        if message.get("role") == "user" and index not in call.quoted
    ]
    for start, end in pairwise([*starts, len(messages)]):
        yield Turn(start, end)


def _message_index(path: Path) -> int:
    """Which message an item stands in; -1 for none."""
    if path[0] == MESSAGES and len(path) > 1 and isinstance(path[1], int):
        return path[1]
    return -1


def _moved(item: Item, places: dict[int, int]) -> Item | None:
    """The item where its message stands now; None where that is gone."""
    index = _message_index(item.path)
    if index < 0:
        return item
    if index not in places:
        return None
    return replace(item, path=(MESSAGES, places[index], *item.path[2:]))
