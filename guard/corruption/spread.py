"""What is corrupted together with a flagged text: what the model reads as one with it.

A name cut over two parts of a message, or over two messages in a row, is whole again in the prompt;
and an answer that the client has begun says again what it is about. A text that is flagged alone
would leave the rest of it in clear. Texts belong together while a sentence goes on from one to the
next: whole documents beside a question do not.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from guard.terms.item import Call, Item

SENTENCE_ENDS = ".!?;\u3002\uff01\uff1f\uff1b\u0964\n"
MESSAGE_DEPTH = 2
"""Steps of a path that the items of one message share: messages, and its index."""


def spread(call: Call, flagged: Mapping[int, str]) -> dict[int, str]:
    """The forget sets of all items that must be corrupted, by index: the flagged ones, those that
    go on with their sentences, and a begun answer to them."""
    found = dict(flagged)
    for run in _runs(call.items):
        known = [found[index] for index in run if index in found]
        if known:
            found.update({index: known[0] for index in run if index not in found})
    begun = _begun_answer(call)
    if begun is not None and (asked := _asked_before(call.items, begun, found)):
        found.setdefault(begun, asked)
    return found


def _runs(items: Sequence[Item]) -> Iterator[list[int]]:
    """Corruptible items of the same speaker, one after the other, in unfinished sentences."""
    places = [index for index, item in enumerate(items) if item.corruptible and item.text]
    run = places[:1]
    for before, after in pairwise(places):
        if not _goes_on(items[before], items[after]):
            yield run
            run = []
        run.append(after)
    yield run


def _goes_on(before: Item, after: Item) -> bool:
    if before.path[0] != "messages" or before.role != after.role:
        return False
    apart = _message(after) - _message(before)
    if apart > 1:
        return False
    ending, beginning = before.text.rstrip(" \t"), after.text.lstrip(" \t")
    return ending[-1:] not in SENTENCE_ENDS and beginning[:1] != "\n"


def _message(item: Item) -> int:
    index = item.path[1]
    return index if isinstance(index, int) else 0


def _begun_answer(call: Call) -> int | None:
    """The last item, where it is the beginning of an answer that the model goes on with."""
    if not call.body.get("continue_final_message") or call.protocol == "completions":
        return None
    said = [index for index, item in enumerate(call.items) if item.corruptible]
    return said[-1] if said and call.items[said[-1]].role == "assistant" else None


def _asked_before(items: Sequence[Item], begun: int, flagged: Mapping[int, str]) -> str | None:
    """The forget set of the last turn before the begun answer, if it is flagged."""
    turn = [index for index in range(begun) if items[index].corruptible]
    last = next((items[index].path[:MESSAGE_DEPTH] for index in reversed(turn)), None)
    return next(
        (flagged[i] for i in turn if items[i].path[:MESSAGE_DEPTH] == last and i in flagged), None
    )
