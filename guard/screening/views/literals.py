"""Texts that a program puts together: strings added up, codes turned to characters, JSON's pieces.

Part of `guard.screening.views`. Joined are strings between which a word is cut in two; strings that
begin and end with whole words read the same apart.
"""

import re
from itertools import pairwise

from guard.screening.views.vocabulary import CERTAIN, MOST_LETTERS, SURE, mend

_CODE = r"(?:0[xX][0-9A-Fa-f]{1,6}|[0-9]{1,7})"
_NAMES = r"(?:chr|chrw|unichr|char|String\.from(?:CharCode|CodePoint))"
_CALL = rf"{_NAMES}\s{{0,2}}\(\s{{0,2}}{_CODE}(?:\s{{0,2}},\s{{0,2}}{_CODE}){{0,2000}}+\s{{0,2}}\)"
_PLUS = r"\s{0,3}(?:\+\+?|\.\.?|&|\|\||<>|<<|~|\\\n)\s{0,8}"
_CALLS = re.compile(rf"{_CALL}(?:(?:{_PLUS}|\s{{0,2}},?\s{{0,2}}){_CALL})*", re.IGNORECASE)
_NUMBER = re.compile(_CODE)
_STRING = r"""(?:"[^"\\\n<>{}=;]{1,80}"|'[^'\\\n<>{}=;]{1,80}')"""
_CHAIN = re.compile(rf"{_STRING}(?:{_PLUS}[rRuUbBfF]?{_STRING})+")
_NAME = r"""(?:"\w{1,12}"|'\w{1,12}'|\w{1,12})\s{0,2}[:=]\s{0,2}"""
_BETWEEN = rf"(?:\s{{0,4}}[,;+]?\s{{0,4}}(?:{_NAME})?)"
_PIECES = re.compile(rf"{_STRING}(?:{_BETWEEN}{_STRING}(?!\s{{0,2}}:))+")
_PIECE = re.compile(_STRING)
_KEY = re.compile(r"""(?:"\w{1,12}"|'\w{1,12}')\s{0,2}:""")
_SEVERAL = 2
_LIKELY = 0.5
_CUT_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]++(?:\x1f[A-Za-z]++)+")
# Strings that end or begin with a space are one after the other as they are.
_BESIDE_SPACE = re.compile("\x1f(?= )|(?<= )\x1f")


def put_together(text: str) -> str | None:
    """The text with codes as characters, and pieces of strings as the strings they make."""
    plain = text
    lower = plain.lower()
    if "chr" in lower or "char" in lower or "fromcode" in lower:
        plain = _CALLS.sub(_from_calls, plain)
    if '"' in plain or "'" in plain:
        plain = _CHAIN.sub(_from_chain, plain)
        plain = _PIECES.sub(_from_pieces, plain)
    return plain if plain != text else None


def _from_calls(match: re.Match[str]) -> str:
    numbers = _NUMBER.findall(match[0])
    codes = [int(number, 16 if "x" in number.lower() else 10) for number in numbers]
    if len(codes) < 4 or not all(9 <= code <= 0x10FFFF and code < 0xD800 for code in codes):
        return match[0]
    return "".join(map(chr, codes))


def _from_chain(match: re.Match[str]) -> str:
    """Strings that are added up as one, if a word goes from one to the next."""
    pieces = [piece[1:-1] for piece in _PIECE.findall(match[0])]
    cuts = sum(a[-2:].isalpha() and b[:2].isalpha() for a, b in pairwise(pieces))
    quote = match[0][0]
    return f"{quote}{''.join(pieces)}{quote}" if cuts else match[0]


def _from_pieces(match: re.Match[str]) -> str:
    """The strings one after the other, words that were cut mended; unchanged where none was."""
    pieces = [piece[1:-1] for piece in _PIECE.findall(_KEY.sub("", match[0]))]
    joined = "\x1f".join(pieces)
    mended, count = _mend_all(joined, SURE)
    if count:
        mended, count = _mend_all(joined, _LIKELY if count >= _SEVERAL else CERTAIN)
    return _BESIDE_SPACE.sub("", mended).replace("\x1f", " ") if count else match[0]


def _mend_all(joined: str, gain: float) -> tuple[str, int]:
    """Pieces joined by a mark with cut words mended, and how many were."""
    count = 0

    def mended(cut: re.Match[str]) -> str:
        nonlocal count
        found = mend(cut[0].split("\x1f"), gain) if len(cut[0]) <= 2 * MOST_LETTERS else None
        count += found is not None
        return found or cut[0]

    return _CUT_WORD.sub(mended, joined), count
