"""Where a folded text's characters stood before folding."""

import unicodedata
from collections.abc import Iterator


def groups(text: str) -> Iterator[tuple[int, str]]:
    """Each character with the marks and invisible signs behind it, and where it begins."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _belongs(text[end]):
            yield start, text[start:end]
            start = end


def _belongs(character: str) -> bool:
    """Whether a character goes with the one before it: a mark, or what nobody sees."""
    return not character.isascii() and unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf")
