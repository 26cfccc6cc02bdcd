"""Pictures for tests: made here, of every kind that a client or an attacker may send."""

import struct
import zlib
from io import BytesIO

import pybase64
from PIL import Image, ImageDraw, ImageFont

RED, BLUE = (200, 30, 30), (30, 30, 200)
SIZE = (12, 8)


def saved(image: Image.Image, name: str = "PNG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def plain(name: str = "PNG", size: tuple[int, int] = SIZE, colour: object = RED) -> bytes:
    return saved(Image.new("RGB", size, colour), name)  # type: ignore[arg-type]


def written(
    text: str, size: tuple[int, int] = (640, 160), place: tuple[int, int] = (20, 40)
) -> bytes:
    """A text in black on white."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text(place, text, "black", ImageFont.load_default(32))
    return saved(image)


def animated(frames: int) -> bytes:
    """A GIF of so many frames, all different."""
    images = [Image.new("RGB", SIZE, (index, 0, 0)) for index in range(frames)]
    out = BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:])
    return out.getvalue()


def claimed(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(b"\0"))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{pybase64.b64encode(data).decode()}"
