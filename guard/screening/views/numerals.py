"""Texts written as numbers: hex, bits, character codes, places in the alphabet.

Part of `guard.screening.views`; what decodes to no text may as well be numbers, and stays.
"""

import re

from guard.screening.views.plausibility import english_pairs
from guard.screening.views.readable import in_words, readable, replace
from guard.screening.views.vocabulary import run_together

# No pattern asks for something after a run of any length: that would be quadratic on long runs.
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x)?[0-9A-Fa-f]{2}[ ,:\n-]{0,2}){8,}+")
_BITS = re.compile(r"(?<![0-9])(?:[01]{8}[ ,\n]{0,2}){4,}+")
_CODES = re.compile(r"(?<![0-9.])[0-9]{2,3}(?:[ ,;\n]{1,2}[0-9]{2,3}(?![0-9])){7,}+")
_PLACES = re.compile(
    r"(?<![\w.,-])(?:[12]?[0-9])(?:[ ,;.\n/|-]{1,3}(?:0?[1-9]|1[0-9]|2[0-6])(?![0-9])){7,}+"
)
_NON_HEX = re.compile("0x|[^0-9A-Fa-f]")
_NUMBER = re.compile("[0-9]+")
_LAYER = re.compile(r"[0-9a-fA-F%xu&#;,: \\-]+")
_GAP = re.compile("[^0-9]+")


def read_numbers(text: str) -> str:
    """The text with runs of numbers decoded that say something."""
    plain = text
    digits = sum(map(plain.count, "0123456789"))
    if digits >= 8:  # each ASCII letter has a digit or more in hex, two in codes, eight in bits
        plain = replace(_HEX, _from_hex, plain)
        plain = replace(_PLACES, _from_places, plain)
    if digits >= 16:
        plain = replace(_BITS, _from_bits, plain)
        plain = replace(_CODES, _from_codes, plain)
    return plain


def _from_hex(run: str) -> str | None:
    digits = _NON_HEX.sub("", run)
    digits = digits[: len(digits) // 2 * 2]
    found = readable(bytes.fromhex(digits)) or readable(bytes.fromhex(digits[::-1]))
    # Without letters the run may as well be a list of numbers.
    if found and digits.isdigit() and not _is_telling(found):
        return None
    return found


def _is_telling(found: str) -> bool:
    """Whether numbers that decode to `found` are hardly numbers: English, or a further layer."""
    return english_pairs(found) >= 0.4 or (len(found) >= 16 and bool(_LAYER.fullmatch(found)))


def _from_bits(run: str) -> str | None:
    bits = re.sub("[^01]", "", run)
    return readable(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)))


def _from_codes(run: str) -> str | None:
    codes = [int(code) for code in _NUMBER.findall(run)]
    if max(codes) > 255 or min(codes) < 10:
        return None
    found = readable(bytes(codes))
    if found is None or not found.isascii() or _is_telling(found):
        return found
    # Else a list of numbers, unless many of them are small letters beyond 99 and none is beyond.
    high = sum(code > 99 for code in codes)
    return found if high * 4 >= len(found) >= 16 else None


def _from_places(run: str) -> str | None:
    """Letters for their places in the alphabet; the rarer separator parts words."""
    places = [int(number) for number in _NUMBER.findall(run)]
    if not all(1 <= place <= 26 for place in places):
        return None
    letters = "".join(chr(96 + place) for place in places)
    # Letters of English vary and repeat; equal numbers do the one not, those in order the other.
    if not 5 <= len(set(letters)) <= max(len(letters) * 0.9, 10):
        return None
    if english_pairs(letters) < 0.5:
        return None
    found = in_words(letters, _GAP.findall(run))
    return found if " " in found else run_together(found) or found
