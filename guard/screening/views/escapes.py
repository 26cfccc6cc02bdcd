"""Escapes of URLs, HTML and programs, as the characters that they stand for.

Part of `guard.screening.views`. A few escapes are ordinary; many are not, nor is one
of a plain letter.
"""

import html
import re
import urllib.parse

from guard.screening.views.readable import readable

_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ENTITY = re.compile(r"&#(?:[0-9]{2,7}|[xX][0-9A-Fa-f]{2,6});?")
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{2,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_BYTE_RUN = re.compile(r"(?:\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}){3,}+")
_BYTE = re.compile(r"\\(?:x(..)|(...))")
# An ASCII letter needs no escape: one that is written as one is a disguise by itself.
_LETTER_ESCAPE = re.compile(
    r"&#(?:6[5-9]|[78][0-9]|90|9[7-9]|1[01][0-9]|12[0-2]|[xX](?:[46][1-9A-Fa-f]|[57][0-9Aa]));"
    r"|(?<=[A-Za-z])%(?:[46][1-9A-Fa-f]|[57][0-9Aa])(?=[A-Za-z])"
    r"|\\(?:u00|x)(?:[46][1-9A-Fa-f]|[57][0-9Aa])"
)
# Names of characters that nobody sees.
_UNSEEN_ENTITY = re.compile(
    "&(?:shy|zwn?j|ZeroWidthSpace|NoBreak|lrm|rlm|InvisibleTimes|af|ic|it);"
)


def unescape(text: str) -> str | None:
    """Percent, HTML and backslash escapes, where there are several, and those of plain letters."""
    plain = text
    if "%" in plain and len(_PERCENT.findall(plain)) >= 4:
        plain = urllib.parse.unquote(plain)
    if "&" in plain:
        plain = _UNSEEN_ENTITY.sub("", plain)
    if "&#" in plain and len(_ENTITY.findall(plain)) >= 3:
        plain = html.unescape(plain)
    if "\\" in plain:
        plain = _BYTE_RUN.sub(_unescape_bytes, plain)
        if len(_ESCAPE.findall(plain)) >= 3:
            plain = _join_surrogates(_ESCAPE.sub(_unescape_one, plain))
    if plain == text and ("%" in plain or "&#" in plain or "\\" in plain):
        plain = _LETTER_ESCAPE.sub(_letter, plain)
    return plain if plain != text else None


def _letter(match: re.Match[str]) -> str:
    code = match[0].lstrip("&#%\\").rstrip(";")
    is_decimal = match[0].startswith("&#") and code[0] not in "xX"
    return chr(int(code) if is_decimal else int(code.lstrip("xXu"), 16))


def _unescape_one(match: re.Match[str]) -> str:
    code = int(match[1] or match[2] or match[3], 16)
    return chr(code) if code <= 0x10FFFF else match[0]


def _unescape_bytes(match: re.Match[str]) -> str:
    codes = (int(x, 16) if x else int(octal, 8) for x, octal in _BYTE.findall(match[0]))
    return readable(bytes(codes)) or match[0]


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
