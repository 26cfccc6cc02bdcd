"""Orders and notes within documents of the prompt sets: each example names its parts' sources."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from classifiers.malicious.fine_tuning.composition import OWN
from classifiers.malicious.fine_tuning.examples import Example
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.multilingual.agent_rows import note, order
from lab.detection.multilingual.sentences import Rng, pick
from lab.detection.multilingual.sources import DEVELOPER

Part = tuple[str, str]
"""A text and its source."""
DOCUMENT = 250
"""Characters that a document has at least."""
DOCUMENTS_OF_SOURCE, LINES_OF_SOURCE = 60, 80
LINE = range(15, 261)
"""Characters of what is put into a document."""
ORDER_KINDS = ("prompt_injection_direct", "prompt_extraction", "agent_misuse", "code_abuse")
MOST_CHARACTERS = 800
ENDS = ".!?\n。"


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """Harmless documents, and the short lines that are put into them, by class."""

    documents: Sequence[Part]
    harmless: Sequence[Part]
    malicious: Sequence[Part]


def draw_parts(prompts: Sequence[LabelledPrompt], rng: Rng) -> DocumentParts:
    """So many parts of each source, drawn at random."""
    drawn = [prompts[int(place)] for place in rng.permutation(len(prompts))]
    return DocumentParts(
        _capped(drawn, _is_document, DOCUMENTS_OF_SOURCE),
        _capped(drawn, _is_harmless_line, LINES_OF_SOURCE),
        _capped(drawn, _is_order, LINES_OF_SOURCE),
    )


def document_row(parts: DocumentParts, malicious: bool, rng: Rng) -> Example:
    """A part of a document with an order or a note at its begin, its end or behind a sentence."""
    document, source = pick(parts.documents, rng)
    line, other = _line(parts, malicious, rng)
    size = min(int(rng.integers(150, 640)), MOST_CHARACTERS - len(line))
    start = int(rng.integers(max(1, len(document) - size)))
    body = document[start : start + size]
    ends = [place + 1 for place, character in enumerate(body) if character in ENDS] or [0]
    at = pick([0, len(body), pick(ends, rng), pick(ends, rng)], rng)
    gap = pick([" ", "\n", "\n\n"], rng)
    text = f"{body[:at]}{gap if at else ''}{line}{gap}{body[at:]}".strip()
    return Example(text, malicious, f"{OWN}/in-documents", frozenset({OWN, source, other}))


def _line(parts: DocumentParts, malicious: bool, rng: Rng) -> Part:
    choices = parts.malicious if malicious else parts.harmless
    if choices and rng.random() >= 0.5:
        return pick(choices, rng)
    return (order(rng) if malicious else note(rng)), OWN


def _is_document(prompt: LabelledPrompt) -> bool:
    return prompt.label == "benign" and len(prompt.text) > DOCUMENT


def _is_harmless_line(prompt: LabelledPrompt) -> bool:
    fits = prompt.label == "benign" and prompt.kind not in DEVELOPER
    return fits and len(prompt.text) in LINE


def _is_order(prompt: LabelledPrompt) -> bool:
    fits = prompt.label == "malicious" and prompt.kind in ORDER_KINDS
    return fits and len(prompt.text) in LINE


def _capped(
    prompts: Iterable[LabelledPrompt], fits: Callable[[LabelledPrompt], bool], most: int
) -> list[Part]:
    """At most so many of the fitting texts of each source, sources end to end."""
    found: dict[str, list[Part]] = {}
    for prompt in filter(fits, prompts):
        own = found.setdefault(prompt.source, [])
        if len(own) < most:
            own.append((prompt.text, prompt.source))
    return [part for own in found.values() for part in own]
