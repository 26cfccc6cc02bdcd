"""Which format a picture's file has: its first bytes say it, whatever it is called."""

from collections.abc import Mapping

SHORTEST = 12
"""Bytes that it takes to tell."""

MEDIA_TYPES: Mapping[str, str] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
"""By Pillow's name, the formats that are taken: what other services take. SVG is a program, TIFF
and the like are families of formats with many decoders each."""


def format_of(data: bytes) -> str | None:
    """Pillow's name of the format; None for one that is not taken."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:SHORTEST] == b"WEBP":
        return "WEBP"
    return None
