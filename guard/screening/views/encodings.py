"""Encoded stretches of a text, decoded in place: escapes, base64, base32, hex, codes, Morse.

Part of `guard.screening.views`; each function gives the decoded text or None. A stretch is decoded
only if the result reads as text, so identifiers, hashes and images stay as they are. Nested
encodings are undone one layer per round.
"""

import binascii
import codecs
import html
import re
import urllib.parse
from base64 import b32decode
from collections.abc import Callable

from guard.screening.views.plausibility import english_pairs

# Tokens that steer a model, written into a text to keep its words apart.
_CONTROL_TOKEN = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|</?s>|<(?:pad|unk|mask|bos|eos|start_of_turn|end_of_turn)>"
    r"|\[(?:PAD|UNK|CLS|SEP|MASK)\]"
)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ENTITY = re.compile(r"&#(?:[0-9]{2,7}|[xX][0-9A-Fa-f]{2,6});?")
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{2,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_BYTE_RUN = re.compile(r"(?:\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}){3,}+")
_BYTE = re.compile(r"\\(?:x(..)|(...))")
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/]{40,}+\r?\n)+[A-Za-z0-9+/]*+|[A-Za-z0-9+/_-]{12,}+)={0,2}"
    r"|(?<![A-Za-z0-9+/=])={1,2}[A-Za-z0-9+/]{12,}+"
)
_BASE32 = re.compile(r"[A-Z2-7]{16,}={0,6}")
# No pattern asks for something after a run of any length: that would be quadratic on long runs.
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x)?[0-9A-Fa-f]{2}[ ,:\n-]{0,2}){8,}+")
_BITS = re.compile(r"(?<![0-9])(?:[01]{8}[ ,\n]{0,2}){4,}+")
_CODES = re.compile(r"(?<![0-9.])[0-9]{2,3}(?:[ ,;\n]{1,2}[0-9]{2,3}(?![0-9])){7,}+")
_MORSE = re.compile(r"(?<![.\-_])[.\-]{1,5}(?:[ /|\n]{1,3}[.\-]{1,5}(?![.\-_])){6,}+")
_NON_HEX = re.compile("0x|[^0-9A-Fa-f]")
_NUMBER = re.compile("[0-9]+")
_LAYER = re.compile(r"[0-9a-fA-F%xu&#;,: \\-]+")
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd-\uffff]")
_MORSE_CODES = """
.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..-
-.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.
"""
_MORSE_LETTERS = dict(
    zip(_MORSE_CODES.split(), "abcdefghijklmnopqrstuvwxyz0123456789", strict=True)
)


def unescape(text: str) -> str | None:
    """Percent, HTML and backslash escapes, where there are several; control tokens, left out."""
    plain = text
    if "<" in plain or "[" in plain:
        plain = _without_control_tokens(plain)
    if "%" in plain and len(_PERCENT.findall(plain)) >= 4:
        plain = urllib.parse.unquote(plain)
    if "&#" in plain and len(_ENTITY.findall(plain)) >= 3:
        plain = html.unescape(plain)
    if "\\" in plain:
        plain = _BYTE_RUN.sub(_unescape_bytes, plain)
        if len(_ESCAPE.findall(plain)) >= 3:
            plain = _join_surrogates(_ESCAPE.sub(_unescape_one, plain))
    return plain if plain != text else None


def _without_control_tokens(text: str) -> str:
    """The text with nothing in their place, and where that glues words, with spaces as well."""
    glued = _CONTROL_TOKEN.sub("", text)
    spaced = _CONTROL_TOKEN.sub(" ", text)
    return glued if glued.split() == spaced.split() else f"{glued}\n{spaced}"


def _unescape_one(match: re.Match[str]) -> str:
    code = int(match[1] or match[2] or match[3], 16)
    return chr(code) if code <= 0x10FFFF else match[0]


def _unescape_bytes(match: re.Match[str]) -> str:
    codes = (int(x, 16) if x else int(octal, 8) for x, octal in _BYTE.findall(match[0]))
    return _readable(bytes(codes)) or match[0]


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def decode(text: str) -> str | None:
    """Base64 and base32 (also reversed or under rot13), hex, bits, decimal codes and Morse."""
    plain = text
    if any(len(word) >= 12 and not word[1:].islower() for word in text.split()):
        plain = _BASE64.sub(_decoded(_from_base64), text)
    digits = sum(map(plain.count, "0123456789"))
    if digits >= 8:  # each ASCII letter has a digit or more in hex, two in codes, eight in bits
        plain = _HEX.sub(_decoded(_from_hex), plain)
    if digits >= 16:
        plain = _BITS.sub(_decoded(_from_bits), plain)
        plain = _CODES.sub(_decoded(_from_codes), plain)
    if ".-" in plain or "-." in plain:
        plain = _MORSE.sub(_decoded(_from_morse), plain)
    return plain if plain != text else None


def _decoded(decoder: Callable[[str], str | None]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        return decoder(match[0]) or match[0]

    return replace


def _from_base64(run: str) -> str | None:
    found = _from_base64_body(re.sub(r"\s", "", run).strip("="))
    if found is None and "\n" in run:  # the last line may be the sentence that follows
        lines, _, last = run.rpartition("\n")
        found = _from_base64_body(re.sub(r"\s", "", lines))
        return found and f"{found}\n{last}"
    return found


def _from_base64_body(body: str) -> str | None:
    if body[1:].islower() or body.isdigit():
        return None  # a word or a number: text in base64 always has capitals
    if _BASE32.fullmatch(body):
        return _readable(_base32_bytes(body))
    for candidate in (body, body[::-1], codecs.encode(body, "rot13")):
        found = _readable(_base64_bytes(candidate))
        if found:
            return found
    return None


def _base64_bytes(body: str) -> bytes:
    body = body.replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        return binascii.a2b_base64(body + "=" * (-len(body) % 4))
    except binascii.Error:
        return b""


def _base32_bytes(body: str) -> bytes:
    try:
        return b32decode(body + "=" * (-len(body) % 8))
    except binascii.Error:
        return b""


def _from_hex(run: str) -> str | None:
    digits = _NON_HEX.sub("", run)
    digits = digits[: len(digits) // 2 * 2]
    found = _readable(bytes.fromhex(digits)) or _readable(bytes.fromhex(digits[::-1]))
    # Without letters the run may as well be a list of numbers.
    if found and digits.isdigit() and not _is_telling(found):
        return None
    return found


def _is_telling(found: str) -> bool:
    """Whether numbers that decode to `found` are hardly numbers: English, or a further layer."""
    return english_pairs(found) >= 0.4 or (len(found) >= 16 and bool(_LAYER.fullmatch(found)))


def _from_bits(run: str) -> str | None:
    bits = re.sub("[^01]", "", run)
    return _readable(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)))


def _from_codes(run: str) -> str | None:
    codes = [int(code) for code in _NUMBER.findall(run)]
    if max(codes) > 255 or min(codes) < 10:
        return None
    found = _readable(bytes(codes))
    if found is None or not found.isascii() or _is_telling(found):
        return found
    # Else a list of numbers, unless many of them are small letters beyond 99 and none is beyond.
    high = sum(code > 99 for code in codes)
    return found if high * 4 >= len(found) >= 16 else None


def _from_morse(run: str) -> str | None:
    words = re.split(r"\s*[/|\n]\s*|\s{2,}", run.strip())
    found = " ".join("".join(_MORSE_LETTERS.get(c, "") for c in word.split()) for word in words)
    # Rules and bullet lists repeat one or two signs.
    return found if len(set(found)) >= 6 else None


def _readable(data: bytes) -> str | None:
    """The bytes as UTF-8 text without control characters; random bytes are hardly ever that."""
    if len(data) < 4:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _UNREADABLE.search(text) else text
