"""Short documents of our own, and sentences placed into a document."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from classifiers.malicious.data.templates import Half, check_half, draw, fill, load

Position = Literal["start", "middle", "end"]
POSITIONS: tuple[Position, ...] = get_args(Position)

_BREAK = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def documents(half: Half, count: int, seed: int) -> list[str]:
    """`count` documents (e-mails, reviews, minutes | notices, READMEs, applications)."""
    check_half(half)
    rng = np.random.default_rng([seed, 4])
    parts = load("injections")[half]
    kinds = list(parts["documents"].values())
    return [_document(kinds[turn % len(kinds)], parts["slots"], rng) for turn in range(count)]


def place(text: str, sentence: str, position: Position) -> str:
    """`text` with `sentence` before it, after it, or at the break nearest to its middle."""
    if position == "start":
        return f"{sentence}\n{text}"
    if position == "end":
        return f"{text}\n{sentence}"
    breaks = [found.end() for found in _BREAK.finditer(text) if found.end() < len(text)]
    at = min(breaks, key=lambda end: abs(end - len(text) / 2), default=len(text))
    gap = "" if text[:at][-1:].isspace() else " "
    return f"{text[:at]}{gap}{sentence} {text[at:]}"


def _document(
    kind: Mapping[str, Any], slots: Mapping[str, Sequence[str]], rng: np.random.Generator
) -> str:
    body = kind["body"]
    chosen = rng.permutation(len(body))[: int(rng.integers(3, len(body) + 1))]
    sentences = [draw(kind["open"], rng), *(body[i] for i in chosen), draw(kind["close"], rng)]
    filled = [
        fill(sentence, {slot: draw(values, rng) for slot, values in slots.items()})
        for sentence in sentences
    ]
    return f"{filled[0]}\n{' '.join(filled[1:-1])}\n{filled[-1]}"
