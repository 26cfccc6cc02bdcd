"""How the guard and its decoding processes talk: a JSON object and bytes, each after its length.

Nothing of Python's own travels: what a process sends that was taken over is data.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

import orjson

from guard.terms.json import JsonObject

HEAD = struct.Struct(">II")
MOST_JSON = 4 << 20
MOST_DATA = 1 << 30


class FrameError(Exception):
    """What came is no frame."""


class Frame(NamedTuple):
    """What is said, and the bytes it is about."""

    said: JsonObject
    data: bytes


def pack(said: JsonObject, data: bytes = b"") -> bytes:
    """A frame's bytes."""
    text = orjson.dumps(said)
    return HEAD.pack(len(text), len(data)) + text + data


def sizes(head: bytes) -> tuple[int, int]:
    """The lengths that a head tells; raises FrameError where they cannot be."""
    json_bytes, data_bytes = HEAD.unpack(head)
    if json_bytes > MOST_JSON or data_bytes > MOST_DATA:
        raise FrameError("too long")
    return json_bytes, data_bytes


def said_in(text: bytes) -> JsonObject:
    """The object in a frame; raises FrameError."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise FrameError("no JSON") from None
    if not isinstance(said, dict):
        raise FrameError("no object")
    return said


def read(take: Callable[[int], bytes]) -> Frame | None:
    """The next frame; `take` gives so many bytes, fewer at the end. None at the end."""
    head = take(HEAD.size)
    if len(head) < HEAD.size:
        return None
    json_bytes, data_bytes = sizes(head)
    return Frame(said_in(take(json_bytes)), take(data_bytes))
