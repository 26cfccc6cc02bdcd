"""Texts drawn as pictures: in the fonts, sizes, colours and turns in which attackers hide them, and
as harmless pictures show theirs."""

import random
import textwrap
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral")
SIZES = (10, 14, 20, 32, 48)
TURNS = (0, 0, 0, 7, 12, 180)
COLOURS = {
    "black on white": ((0, 0, 0), (255, 255, 255)),
    "white on black": ((255, 255, 255), (0, 0, 0)),
    "faint on white": ((247, 247, 247), (255, 255, 255)),
    "blue on red": ((40, 40, 200), (200, 60, 60)),
    "yellow on white": ((250, 240, 60), (255, 255, 255)),
}
NOISES = (0, 0, 0, 15, 30)
WIDTH = 900
MARGIN = 24
JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is drawn: `size` in pixels, `turn` in degrees, `noise` a deviation in levels."""

    font: str
    size: int
    colours: str
    turn: int
    noise: int
    form: str

    @classmethod
    def drawn(cls, rng: random.Random) -> "Style":
        """A style by chance. Noise hides what is faint from everybody, so that has none."""
        colours = rng.choice(tuple(COLOURS))
        return cls(
            font=rng.choice(FONTS),
            size=rng.choice(SIZES),
            colours=colours,
            turn=rng.choice(TURNS),
            noise=0 if colours.startswith("faint") else rng.choice(NOISES),
            form="PNG" if colours.startswith("faint") else rng.choice(("PNG", "JPEG")),
        )


def draw(text: str, style: Style, rng: random.Random) -> bytes:
    """The picture's file."""
    from PIL import Image, ImageDraw, ImageFont

    ink, ground = COLOURS[style.colours]
    font = ImageFont.truetype(font_file(style.font), style.size)
    columns = max(8, int((WIDTH - 2 * MARGIN) / (style.size * 0.62)))
    lines = "\n".join(textwrap.wrap(text, columns)) or text
    box = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((0, 0), lines, font)
    size = (int(box[2]) + 2 * MARGIN, int(box[3]) + 2 * MARGIN)
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).multiline_text((MARGIN, MARGIN), lines, ink, font)
    image = image.rotate(style.turn, expand=True, fillcolor=ground)
    return _saved(_noisy(image, style.noise, rng), style.form)


def font_file(name: str) -> str:
    """Where matplotlib keeps one of its fonts."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf")


def _noisy(image: "Image", deviation: int, rng: random.Random) -> "Image":
    from PIL import Image

    if not deviation:
        return image
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, deviation, (*image.size[::-1], 3))
    levels = np.clip(np.asarray(image, dtype=np.float32) + noise, 0, 255)
    return Image.fromarray(levels.astype(np.uint8))


def _saved(image: "Image", form: str) -> bytes:
    out = BytesIO()
    image.save(out, form, **({"quality": JPEG_QUALITY} if form == "JPEG" else {}))
    return out.getvalue()
