"""When a text that comes in is judged again, and how much of it may go: the window behind it.

Text is released once it was judged with a window behind it: a whole sentence, or `window`
characters, whichever comes first. So what is found was not half told.
"""

import re
from typing import NamedTuple

SHORTEST = 40
"""Characters of a sentence that can be a window; shorter ones count with their neighbours."""

_BORDER = re.compile(r"[.!?…;]['\"”’)\]]*\s+|[。！？।]\s*|\s*\n\s*")
# Characters before a cut in which the beginning of a word is looked for.
_WORD = 30


class Window(NamedTuple):
    """`characters` are the most that stand behind what is released, unless a detector must see
    `reach` characters at once; `seen` are at least those before new text that are judged with it.
    """

    characters: int
    reach: int = 0
    seen: int = 0

    @property
    def context(self) -> int:
        """Characters before new text that are judged with it."""
        return max(2 * self.characters, 2 * self.reach, self.seen)


def is_due(unjudged: str, window: Window) -> bool:
    """Whether new text is worth a look: a sentence is complete, or a quarter window is in."""
    if 4 * len(unjudged) >= window.characters:
        return True
    return any(border.end() >= SHORTEST for border in _BORDER.finditer(unjudged))


def clear_length(text: str, window: Window) -> int:
    """How many of the first characters of `text`, all of it judged, have a window behind them."""
    borders = [border.end() for border in _BORDER.finditer(text)]
    last = borders[-1] if borders else 0
    by_sentence = max((border for border in borders if last - border >= SHORTEST), default=0)
    end = min(max(by_sentence, len(text) - window.characters), len(text) - window.reach)
    return _whole_words(text, end) if end > 0 else 0


def _whole_words(text: str, end: int) -> int:
    """The end, or that of the last word before it where it cuts one."""
    if text[end - 1].isspace():
        return end
    return text.rfind(" ", max(0, end - _WORD), end) + 1 or end
