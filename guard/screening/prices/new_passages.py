"""What a reading of a text says that nothing before it has said: only that is read."""

import re
from collections.abc import Iterator
from itertools import pairwise

CONTEXT = 200
"""Characters that are read on both sides of what is new."""
# Cut where punctuation stands, so that what follows a change is cut as before it.
_SEGMENT = re.compile(r"[^\n.!?;,。！？，]{1,160}[\n.!?;,。！？，]*|[\n.!?;,。！？，]+")


class NewPassages:
    """Knows what was said, up to case and white space: each segment behind the one before it, so
    that known words in another order are new."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def add(self, text: str) -> None:
        """All of a text was said."""
        self._said.update(pairwise(["", *map(_essence, _SEGMENT.findall(text))]))

    def new_in(self, view: str) -> Iterator[str]:
        """The passages of a view that hold new segments, with their surroundings; from now on they
        are said."""
        start = end = 0
        after = ""
        for match in _SEGMENT.finditer(view):
            before, after = after, _essence(match[0])
            if (before, after) in self._said:
                continue
            self._said.add((before, after))
            if match.start() - CONTEXT > end:
                if end:
                    yield view[start:end]
                start = max(0, match.start() - CONTEXT)
            end = min(len(view), match.end() + CONTEXT)
        if end:
            yield view[start:end]


def _essence(segment: str) -> str:
    return " ".join(segment.casefold().split())
