"""Pictures taken out of a request: a note in their place, or as many pixels of white."""

import struct
import zlib
from collections.abc import Collection
from dataclasses import replace

from guard.terms.item import Call, Item, Path
from guard.terms.json import JsonObject
from guard.terms.verdict import Finding, Verdict
from guard.wire.call import replace_at
from guard.wire.pictures import data_url, pictures_of

NOTE = "(A picture was removed.)"


def places_of(call: Call) -> dict[Path, tuple[int, ...]]:
    """The pictures of a call, by path: the indices of the items that each is, text and all."""
    found: dict[Path, list[int]] = {each.path: [] for each in pictures_of(call.body)}
    for index, item in enumerate(call.items):
        if item.path in found:
            found[item.path].append(index)
    return {path: tuple(items) for path, items in found.items() if items}


def without_pictures(call: Call, paths: Collection[Path], *, blank: bool) -> Call:
    """The call with those pictures blank, or with a note for each; nothing of them is an item."""
    body = _emptied(call, paths, blank=blank)
    kept = tuple(item for item in call.items if item.path not in paths)
    return replace(call, body=body, items=kept)


def hidden(call: Call, verdict: Verdict, findings: Collection[Finding]) -> tuple[Call, Verdict]:
    """The call with those pictures blank that one of the findings names, and the verdict on what
    is left to change; the items stay, so that their indices do."""
    named = {index for finding in findings for index in finding.items}
    places = places_of(call)
    paths = [path for path, items in places.items() if named.intersection(items)]
    if not paths:
        return call, verdict
    gone = {index for items in places.values() for index in items}
    rest = tuple(
        replace(finding, items=tuple(index for index in finding.items if index not in gone))
        for finding in verdict.findings
    )
    emptied = call.with_body(_emptied(call, paths, blank=True))
    return emptied, replace(verdict, findings=rest)


def _emptied(call: Call, paths: Collection[Path], *, blank: bool) -> JsonObject:
    body = call.body
    for item in call.items:
        if item.path in paths and item.picture:
            body = replace_at(body, item.path, _blank_part(item) if blank else _note())
    return body


def _note() -> JsonObject:
    return {"type": "text", "text": NOTE}


def _blank_part(item: Item) -> JsonObject:
    picture = item.picture
    size = (picture.width, picture.height) if picture else (1, 1)
    return {"type": "image_url", "image_url": {"url": data_url("image/png", white(*size))}}


def white(width: int, height: int) -> bytes:
    """A white PNG of a bit a pixel: as large as the picture, so it is as many tokens."""
    row = b"\0" + b"\xff" * (-(-width // 8))  # no filter, then the row's pixels
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(row * height)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
