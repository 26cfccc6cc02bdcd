"""Text in pictures: found first, read where it was found; a picture without text costs the search.

Runs in the worker only.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 2000
"""Pixels of the longest side that is read as it is; the reader shrinks what is larger."""
OVERLAP = 200
NEIGHBOURHOOD = 61
"""Pixels of the square in which contrast is made equal: about a line of text."""
CONTRAST = 60
MIDDLE = 128
FAINTEST = 1.0
"""Added to a neighbourhood's deviation, in grey levels: an even ground stays even."""
MOST_CHARACTERS = 200_000
"""Of one picture: a bound on what a process may say."""
OPTIONS: dict[str, Any] = {
    "Global.log_level": "critical",
    "Global.max_side_len": SIDE,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class TextReader:
    """Reads text by PP-OCR's models, which the package `rapidocr` holds; in one thread."""

    def __init__(self) -> None:
        import cv2
        from rapidocr import RapidOCR

        cv2.setNumThreads(1)
        self._read = RapidOCR(params=OPTIONS)

    def read(self, data: bytes) -> str:
        """The lines of text in a picture's file, from the top.

        A picture that is larger than the reader looks at is read once as a whole, for large
        letters, and once in pieces, for small ones.
        """
        from PIL import Image

        found: dict[str, None] = {}
        with Image.open(BytesIO(data)) as opened:
            image = opened.convert("RGB")
        for piece in pieces(image):
            found.update(dict.fromkeys(self._lines(piece)))
        return "\n".join(found)[:MOST_CHARACTERS]

    def _lines(self, image: "Image") -> tuple[str, ...]:
        pixels = np.asarray(image)[:, :, ::-1]  # blue, green, red: as OpenCV has them
        return tuple(self._read(legible(pixels)).txts or ())


def legible(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same picture (h, w, 3) with equal contrast everywhere: each channel less its mean around
    the pixel, by its deviation there. A model reads a grey of 253 on white; the reader sees it so
    too, and black text no worse."""
    import cv2

    square = (NEIGHBOURHOOD, NEIGHBOURHOOD)
    levels = pixels.astype(np.float32)
    mean = cv2.blur(levels, square)
    variance = cv2.blur(levels * levels, square) - mean * mean
    deviation = np.sqrt(np.maximum(variance, 0)) + FAINTEST
    equal: NDArray[np.float32] = np.clip(MIDDLE + CONTRAST * (levels - mean) / deviation, 0, 255)
    return equal.astype(np.uint8)


def pieces(image: "Image") -> Iterator["Image"]:
    """The picture as a whole, shrunk where it is too large for the reader; then in pieces too."""
    whole = image.copy()
    whole.thumbnail((SIDE, SIDE))
    yield whole
    if max(image.size) > SIDE:
        for top in _starts(image.height):
            for left in _starts(image.width):
                right, bottom = min(left + SIDE, image.width), min(top + SIDE, image.height)
                yield image.crop((left, top, right, bottom))


def _starts(length: int) -> range:
    """Where pieces begin that overlap and cover so many pixels."""
    return range(0, max(1, length - OVERLAP), SIDE - OVERLAP)
