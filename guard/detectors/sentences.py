"""The sentences of a text, each to be scored by itself.

An encoder's features are an average over a text: a question among harmless ones, or behind noise,
is diluted. By itself it is as plain as in training.
"""

import re

SHORTEST = 8
"""Characters; what is shorter is joined to what comes before it ('Dr.', '1.')."""
LONGEST = 240
"""Characters; what is longer is cut again into windows of half that, half overlapping."""

# An ending with white space behind it, a line's end, or what opens a numbered item.
_BORDER = re.compile(
    r"(?<=[.!?;])[\"'”’)\]]*\s+|(?<=[。！？；।])\s*|\s*\n\s*|\s+(?=\(?\d{1,2}[.):]\s)"
)

# What opens a question in the middle of a stretch: behind noise, or behind who is said to ask it.
_OPENING = re.compile(
    r"(?<=[\s\"'“‘«(])(?:Who|Whom|Whose|What|When|Where|Which|Why|How|Can|Could|Would|Does|Did|Is|Are"
    r"|Was|Were|Has|Have|In|Tell|Name|Describe|Explain|Wer|Wann|Wo|Welche[rsn]?|Wie|Qui|Quels?"
    r"|Quelles?|Où|Quand|Comment|Quién|Qué|Cuál|Dónde|Cuándo|Кто|Что|Где|Когда|Какая|Какой)\b"
)
FAR = 24
"""Characters before an opening that make it worth reading from there."""
MOST_OPENINGS = 3


def sentences(text: str) -> list[str]:
    """The sentences, without white space around; none where the text is one sentence itself."""
    parts: list[str] = []
    start = 0
    for border in _BORDER.finditer(text):
        if border.start() - start >= SHORTEST:
            parts.append(text[start : border.start()])
            start = border.end()
    parts.append(text[start:])
    if len(parts) > 1 and len(parts[-1]) < SHORTEST:
        parts[-2:] = [f"{parts[-2]} {parts[-1]}"]
    cut = [piece for part in parts for piece in _pieces(part.strip())]
    return cut if len(cut) > 1 else []


def _pieces(part: str) -> list[str]:
    """The sentence, or its overlapping pieces where it is a long one; and from where a question
    opens inside it to its end, the last `MOST_OPENINGS` of them."""
    openings = [match.start() for match in _OPENING.finditer(part, FAR)][-MOST_OPENINGS:]
    tails = [part[at : at + LONGEST] for at in openings if len(part) - at >= SHORTEST]
    return [*_windows(part), *map(str.strip, tails)]


def _windows(part: str) -> list[str]:
    """The sentence, or its overlapping pieces where it is a long one."""
    if len(part) <= LONGEST:
        return [part] if part else []
    size, step = LONGEST // 2, LONGEST // 4
    starts = range(0, len(part) - step, step)
    return [_whole_words(part, start, start + size) for start in starts]


def _whole_words(part: str, start: int, end: int) -> str:
    """The stretch without the words that it cuts, unless nothing is left."""
    first = max(part.find(" ", start, end) + 1, start) if start else 0
    last = part.rfind(" ", start, end) if end < len(part) else len(part)
    return part[first:last] if first < last else part[start:end]
