"""A picture's file into pixels and back: what comes out holds them and nothing else.

Runs in the worker only: Pillow reads what strangers wrote.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from guard.images.faults import PictureError
from guard.images.formats import MEDIA_TYPES, format_of

if TYPE_CHECKING:
    from PIL.Image import Image

JPEG_QUALITY = 95
WHITE = (255, 255, 255, 255)
SCALE_16_BIT = 1 / 256
FAST = 1
"""Of zlib: a level that takes a tenth of the time for a tenth more bytes."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most pixels of a picture, and most frames of an animation."""

    pixels: int
    frames: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A picture written anew; sides in pixels."""

    media_type: str
    data: bytes
    width: int
    height: int


def rewrite(data: bytes, bounds: Bounds) -> Rewritten:
    """The first frame of a picture's file as a file of our own; raises PictureError.

    It stands upright (EXIF), in eight bits of grey or RGB, on white where it was transparent, and
    has no metadata. JPEG stays JPEG; all else becomes PNG, pixel for pixel.
    """
    name = format_of(data)
    if name is None:
        raise PictureError("format")
    try:
        plain = _pixels(data, name, bounds)
    except PictureError:
        raise
    except Exception:  # whatever a decoder makes of bytes that were made to break it
        raise PictureError("broken") from None
    return _written(plain, "JPEG" if name == "JPEG" else "PNG")


def _pixels(data: bytes, name: str, bounds: Bounds) -> "Image":
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # our own bound counts
    with Image.open(BytesIO(data), formats=[name]) as opened:
        if opened.width * opened.height > bounds.pixels:
            raise PictureError("pixels")
        _check_frames(data, name, bounds.frames)
        opened.load()
        return _plain(ImageOps.exif_transpose(opened))


def _check_frames(data: bytes, name: str, most: int) -> None:
    """Count no further than is allowed: a frame costs as much as a picture."""
    from PIL import Image

    with Image.open(BytesIO(data), formats=[name]) as opened:
        try:
            opened.seek(most)
        except EOFError:
            return
    raise PictureError("frames")


def _plain(image: "Image") -> "Image":
    """The picture as everybody sees it who looks at it on white: a text drawn in nothing but
    transparency, or in the low bits of sixteen, is not read otherwise by the model."""
    from PIL import Image

    if image.mode == "I" or image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda grey: grey * SCALE_16_BIT).convert("L")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        ground = Image.new("RGBA", seen.size, WHITE)
        return Image.alpha_composite(ground, seen).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _written(image: "Image", name: str) -> Rewritten:
    """A file of nothing but pixels: what an image holds besides is not handed to the writer."""
    from PIL import Image

    bare = Image.frombytes(image.mode, image.size, image.tobytes())
    out = BytesIO()
    if name == "JPEG":
        bare.save(out, name, quality=JPEG_QUALITY, subsampling=0)
    else:
        bare.save(out, name, compress_level=FAST)
    return Rewritten(MEDIA_TYPES[name], out.getvalue(), image.width, image.height)
