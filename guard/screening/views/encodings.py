"""Encoded stretches of a text, decoded in place. One step of `guard.screening.views`.

A stretch is decoded only if the result reads as text. Nested encodings are undone one layer per
round.
"""

from guard.screening.views.base_n import read_bases
from guard.screening.views.numerals import read_numbers
from guard.screening.views.signals import read_signals


def decode(text: str) -> str | None:
    """Base64, base32, base85, hex, bits, codes, places in the alphabet, Morse, braille, NATO."""
    plain = read_signals(read_numbers(read_bases(text)))
    return plain if plain != text else None
