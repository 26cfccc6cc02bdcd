"""How many tokens a text has for the guarded model: counted in steps, and remembered."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from hashlib import blake2b
from threading import Lock

from guard.screening.workers.turn import Turn

STEP_CHARACTERS = 20_000
"""Counted at a time: some 5 ms."""
REMEMBERED_CHARACTERS = 400
"""A shorter text is counted sooner than found."""
MOST_REMEMBERED = 20_000
LOST_AT_A_CUT = 8
"""The most tokens that two halves of a text can have more than the whole. Cuts stand before white
space, where most tokenizers cut anyway."""


class TokenCounts:
    """Counts by one model's tokenizer (`tokens_in`, special tokens left out).

    A chat sends its history again with every turn, so counts are kept: by a keyed hash of text and
    API key, at most `MOST_REMEMBERED`. Safe to share between threads.
    """

    def __init__(self, tokens_in: Callable[[str], int]) -> None:
        self._tokens_in = tokens_in
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, int] = OrderedDict()
        self._lock = Lock()

    def count(self, text: str, owner: str, enough: int, turn: Turn) -> int:
        """At least so many tokens the text has; it is counted no further once they are more than
        `enough`."""
        if len(text) <= REMEMBERED_CHARACTERS:
            return self._tokens_in(text)
        place = self._place(text, owner)
        with self._lock:
            known = self._known.get(place)
            if known is not None:
                self._known.move_to_end(place)
                return known
        found = LOST_AT_A_CUT
        for step in _steps(text):
            turn.pause()
            found += self._tokens_in(step) - LOST_AT_A_CUT
            if found > enough:
                return found
        self._keep(place, found)
        return found

    def _keep(self, place: bytes, found: int) -> None:
        with self._lock:
            self._known[place] = found
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)

    def _place(self, text: str, owner: str) -> bytes:
        told = f"{len(owner)}:{owner}{text}".encode("utf-8", "surrogatepass")
        return blake2b(told, key=self._key, digest_size=16).digest()


def _steps(text: str) -> Iterator[str]:
    """The text in steps, cut before white space where there is some nearby."""
    start = 0
    while start < len(text):
        end = start + STEP_CHARACTERS
        if end < len(text):
            space = text.rfind(" ", start + STEP_CHARACTERS // 2, end)
            end = space if space > 0 else end
        yield text[start:end]
        start = end
