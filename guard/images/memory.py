"""Pictures that were decoded before: a chat sends its history again with every turn."""

import secrets
from collections import OrderedDict
from hashlib import blake2b
from typing import NamedTuple

from guard.terms.item import Picture

OVERHEAD = 500
"""Bytes that a remembered picture takes besides its own."""


class Seen(NamedTuple):
    """A picture, and the text in it."""

    picture: Picture
    text: str


class PictureMemory:
    """At most so many bytes of pictures, by a keyed hash of API key and file: what is known of one
    key's pictures tells no other key anything."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, Seen] = OrderedDict()
        self._bytes = 0

    def place(self, owner: str, data: bytes) -> bytes:
        """Where a picture's file is remembered."""
        told = blake2b(key=self._key, digest_size=16)
        told.update(f"{len(owner)}:{owner}".encode())
        told.update(data)
        return told.digest()

    def get(self, place: bytes) -> Seen | None:
        """What a file was decoded to, and what was read in it."""
        known = self._known.get(place)
        if known is not None:
            self._known.move_to_end(place)
        return known

    def keep(self, place: bytes, seen: Seen) -> None:
        """Remember it; the one that nobody has asked for longest goes first."""
        if place in self._known or _size(seen) > self._most:
            return
        self._known[place] = seen
        self._bytes += _size(seen)
        while self._bytes > self._most:
            _, gone = self._known.popitem(last=False)
            self._bytes -= _size(gone)


def _size(seen: Seen) -> int:
    return len(seen.picture.data) + 4 * len(seen.text) + OVERHEAD
