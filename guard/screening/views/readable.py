"""Bytes as text, and stretches of a text replaced by what they decode to.

Shared by the decoders of `guard.screening.views`: bytes count only where they read as text, so
identifiers, hashes and images stay as they are.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

Decoder = Callable[[str], str | None]

SEPARATORS = " ,:;\n\r\t-/|"
"""What may stand between codes, and behind the last one belongs to the text that follows."""
_JAPANESE = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd-\uffff]")


def readable(data: bytes, least: int = 4) -> str | None:
    """The bytes as UTF-8 or UTF-16 text without control characters, if they are at least `least`.

    Random bytes are hardly ever that. UTF-16 is tried where every other byte is zero, or a byte
    order mark stands first.
    """
    if len(data) < least:
        return None
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _UNREADABLE.search(text) and _is_of_one_script(text):
            return text
    return None


def _is_of_one_script(text: str) -> bool:
    """Whether letters beyond Latin's are of one or two scripts, each with a few of them.

    A dozen letters that happen to be valid base64 become letters of as many scripts as there are.
    """
    letters = [c for c in text if c > "\u017f" and c.isalpha()]
    scripts = {unicodedata.name(c, "?").partition(" ")[0] for c in letters[:200]}
    return len(scripts - _JAPANESE) <= 2 and (len(scripts) * 2 <= len(letters) or not letters)


def _encodings(data: bytes) -> tuple[str, ...]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    zeros = data.count(0)
    if zeros * 3 < len(data) or len(data) % 2:
        return ("utf-8",)
    return ("utf-16-le",) if data[1::2].count(0) * 2 > zeros else ("utf-16-be",)


def in_words(letters: Sequence[str], gaps: Sequence[str]) -> str:
    """Letters put together, by the gaps between them: the commonest is within words, every other
    parts two words."""
    usual = Counter(gaps).most_common(1)[0][0]
    found = letters[0]
    for gap, letter in zip(gaps, letters[1:], strict=True):
        found += letter if gap == usual else f" {letter}"
    return found


def replace(pattern: re.Pattern[str], decoder: Decoder, text: str) -> str:
    """The text with each match decoded where that works; separators behind it stay."""

    def decoded(match: re.Match[str]) -> str:
        run = match[0].rstrip(SEPARATORS)
        found = decoder(run)
        return match[0] if found is None else found + match[0][len(run) :]

    return pattern.sub(decoded, text)
