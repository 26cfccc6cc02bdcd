"""Texts in base64, base32 and base85: whole, under rot13 or backwards, in lines, words or pieces.

Part of `guard.screening.views`. A run of tokens is tried as one text, then token by token; it is
tried at all only if some token does not look like a word.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from guard.screening.views.plausibility import english_pairs
from guard.screening.views.readable import readable, replace

_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/]{40,}+\r?\n)+[A-Za-z0-9+/]*+|[A-Za-z0-9+/_-]{12,}+)={0,2}"
    r"|(?<![A-Za-z0-9+/=])={1,2}[A-Za-z0-9+/]{12,}+"
)
_BLOB_LENGTH = 200
_BLOB = re.compile(
    rf"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{{{_BLOB_LENGTH},}}+"
    r"|(?:[A-Za-z0-9+/]{40,}+\r?\n){4,}+[A-Za-z0-9+/]*+)={0,2}"
)
_BASE32 = re.compile(r"(?:[A-Z2-7]{16,}|[a-z2-7]{16,})={0,6}")
_GROUP = "[A-Za-z0-9+/_-]{2,76}={0,6}"
_TOKENS = re.compile(rf"(?<![A-Za-z0-9+/_=-]){_GROUP}(?:[ \t\r\n]{{1,3}}{_GROUP}){{2,}}+")
_GAP = re.compile(r"([ \t\r\n]+)")
_ODD = re.compile(r"[a-z][A-Z]|[A-Za-z][0-9]|[0-9][A-Za-z]|[A-Z]{2}[a-z]|=")
_PLAIN_RUN = re.compile("[a-z]{5,}")
_BASE85 = re.compile(r"(?<!\S)(?:<~[!-uz\s]{10,20000}~>|[!-~]{15,}+)")
_STOPS = ".,;:!?\"'`)>]"
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_FROM_Z85 = str.maketrans(_Z85, _B85)


def read_bases(text: str) -> str:
    """The text with stretches of base64, base32 and base85 decoded that say something."""
    plain = text
    words = text.split()
    long = [word for word in words if len(word) >= 12]
    if len(words) >= 3 and _has_odd_words(plain):
        plain = _TOKENS.sub(lambda match: _from_tokens(match[0]), plain)
    if any(not word[1:].islower() for word in long):
        plain = _BASE64.sub(lambda match: _from_base64(match[0]) or match[0], plain)
    if any(len(word) >= 15 and not word.isalnum() for word in long):
        plain = replace(_BASE85, _from_base85, plain)
    return plain


def without_blobs(text: str) -> str:
    """The text without long base64 that decodes to no text: pictures, keys, archives.

    Read letter by letter, a blob has every sign of a disguise somewhere.
    """
    if len(text) < _BLOB_LENGTH:
        return text
    return _BLOB.sub(lambda match: " " if _is_blob(match[0]) else match[0], text)


def _is_blob(run: str) -> bool:
    sample = run[:2_000]
    kinds = (sum(map(kind, sample)) for kind in (str.isupper, str.islower, str.isdigit))
    return all(count * 20 > len(sample) for count in kinds) and _from_base64(run) is None


def _has_odd_words(text: str) -> bool:
    """Whether three times at least the case jumps, or a digit stands among letters."""
    return sum(1 for _ in islice(_ODD.finditer(text), 3)) == 3


def _from_base64(run: str) -> str | None:
    found = _from_base64_body(re.sub(r"\s", "", run).strip("="))
    if found is None and "\n" in run:  # the last line may be the sentence that follows
        lines, _, last = run.rpartition("\n")
        found = _from_base64_body(re.sub(r"\s", "", lines))
        return found and f"{found}\n{last}"
    return found


def _from_base64_body(body: str) -> str | None:
    if body.isdigit():
        return None
    if _BASE32.fullmatch(body):
        found = readable(_base32_bytes(body.upper()))
        if found or body.isupper():
            return found
    if body[1:].islower():
        return None  # a word: text in base64 always has capitals
    for candidate in (body, body[::-1], codecs.encode(body, "rot13")):
        found = readable(_base64_bytes(candidate))
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
        return base64.b32decode(body + "=" * (-len(body) % 8))
    except binascii.Error:
        return b""


def _from_tokens(run: str) -> str:
    """The run with what is encoded in it decoded, as one text or token by token."""
    parts = _GAP.split(run)
    tokens, gaps = parts[::2], parts[1::2]
    odd = [index for index, token in enumerate(tokens) if _ODD.search(token)]
    if len(odd) < 3 or len(odd) * 2 < odd[-1] - odd[0] + 1:
        return run
    if _are_even(tokens):
        return _as_one(tokens, gaps, odd) or run
    return _each(tokens, gaps) or _as_one(tokens, gaps, odd) or run


def _as_one(tokens: Sequence[str], gaps: Sequence[str], odd: Sequence[int]) -> str | None:
    """The tokens with those that are pieces of one encoded text decoded."""
    for start, end in _spans(tokens, odd):
        found = _from_base64_body("".join(tokens[start:end]).rstrip("="))
        if found:
            before = "".join(map("".join, zip(tokens[:start], gaps[:start], strict=True)))
            after = "".join(map("".join, zip(gaps[end - 1 :], tokens[end:], strict=True)))
            return before + found + after
    return None


def _are_even(tokens: Sequence[str]) -> bool:
    """Whether all but the last have the same length, as text cut into groups has."""
    return len({len(token) for token in tokens[:-1]}) == 1


def _spans(tokens: Sequence[str], odd: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where one encoded text may stand among the tokens: all of them, or those of odd case."""
    yield 0, len(tokens)
    first, last = odd[0], odd[-1] + 1
    size = len(tokens[odd[len(odd) // 2]])
    while first and len(tokens[first - 1]) == size:
        first -= 1
    yield first, len(tokens)
    yield first, last


def _each(tokens: Sequence[str], gaps: Sequence[str]) -> str | None:
    """Each token decoded by itself, if at least three are text and together read as English."""
    found = [_short_text(token) for token in tokens]
    said = [text for text in found if text]
    if len(said) < 3 or english_pairs(" ".join(said)) < 0.4:
        return None
    plain = [text or token for text, token in zip(found, tokens, strict=True)]
    return "".join(map("".join, zip(plain, [*gaps, ""], strict=True)))


def _short_text(token: str) -> str | None:
    body = token.strip("=")
    if body.isdigit() or len(body) < 2:
        return None
    found = readable(_base64_bytes(body), least=1)
    return found if found and found.isascii() and found.isprintable() else None


def _from_base85(run: str) -> str | None:
    """Ascii85, the alphabet of RFC 1924's (Python's `b85encode`), or ZeroMQ's."""
    if sum(map(len, _PLAIN_RUN.findall(run))) * 3 > len(run):
        return None  # a path, an address, code
    framed = run.startswith("<~") and run.endswith("~>")
    bodies = [run[2:-2]] if framed else [run, run.rstrip(_STOPS)]
    for body in dict.fromkeys(bodies):
        tail = "" if framed else run[len(body) :]
        readings = [_ascii85(body)]
        if not framed:
            readings += _base85(body), _base85(body.translate(_FROM_Z85))
        for data in readings:
            found = readable(data)
            if found and _is_wordy(found):
                return found + tail
    return None


def _ascii85(body: str) -> bytes:
    try:
        return base64.a85decode(body)
    except ValueError:
        return b""


def _base85(body: str) -> bytes:
    try:
        return base64.b85decode(body)
    except ValueError:
        return b""


def _is_wordy(found: str) -> bool:
    letters = sum(c.isalnum() or c.isspace() for c in found)
    return letters * 10 >= len(found) * 7
