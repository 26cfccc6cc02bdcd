"""Requests, frames, extraction and orders in documents, in sixteen languages.

Both classes of a language share its forms and, where they can, its verbs: neither the language
nor the verb says anything about a text.
"""

from collections.abc import Callable, Mapping, Sequence

from classifiers.malicious.fine_tuning.examples import Example
from lab.detection.multilingual.sentences import (
    AGENTS,
    LANGUAGES,
    Rng,
    insert,
    own_example,
    pick,
    read_sentences,
    several,
)

Sentences = Mapping[str, Sequence[str]]
DAILY_SHARE = 0.25
"""Of harmless requests: everyday prompts that have no harmful form."""
FRAMED_SHARE = 0.7
"""Of attacks in frames: a lawless frame; the others are harmful questions in a harmless one."""
HARMFUL_IN_FRAME = 0.6
"""Of lawless frames: around a harmful question; the others are attacks by the frame alone."""
PLAIN_SHARE = 0.3
"""Of harmless documents: without a note that looks like an order."""


def languages() -> list[str]:
    """The codes of the languages."""
    return list(read_sentences(LANGUAGES))


def language_row(code: str, malicious: bool, rng: Rng) -> Example:
    """One text of the language and class."""
    sentences: Sentences = read_sentences(LANGUAGES)[code]
    drawn = rng.random()
    name, write = next((name, write) for name, write, limit in FORMS if drawn < limit)
    return own_example(write(sentences, malicious, rng), malicious, f"lang-{name}-{code}")


def _request(own: Sentences, malicious: bool, rng: Rng) -> str:
    if not malicious and rng.random() < DAILY_SHARE:
        return pick(own["daily"], rng)
    act = pick(own["harmful" if malicious else "harmless"], rng)
    return pick(own["ask"], rng).replace("{x}", act)


def _frame(own: Sentences, malicious: bool, rng: Rng) -> str:
    lawless = malicious and rng.random() < FRAMED_SHARE
    harmful = malicious and (not lawless or rng.random() < HARMFUL_IN_FRAME)
    question = _request(own, harmful, rng)
    return pick(own["bad" if lawless else "good"], rng).replace("{q}", question)


def _extraction(own: Sentences, malicious: bool, rng: Rng) -> str:
    return pick(own["extract" if malicious else "about"], rng)


def _document(own: Sentences, malicious: bool, rng: Rng) -> str:
    lines = several(own["text"], 1, 5, rng)
    line = pick(own["inject" if malicious else "note"], rng)
    if not malicious and rng.random() < PLAIN_SHARE:
        line = pick(own["text"], rng)
    insert(lines, line.replace("{a}", pick(read_sentences(AGENTS)["address"], rng)), rng)
    return pick(["\n", " "], rng).join(dict.fromkeys(lines))


def _among_others(own: Sentences, malicious: bool, rng: Rng) -> str:
    """A request among harmless lines: only what all of them say together counts."""
    lines = several([*own["daily"], *own["text"]], 1, 3, rng)
    insert(lines, _request(own, malicious, rng), rng)
    return "\n".join(dict.fromkeys(lines))


FORMS: Sequence[tuple[str, Callable[[Sentences, bool, Rng], str], float]] = (
    ("request", _request, 0.42),
    ("frame", _frame, 0.6),
    ("extraction", _extraction, 0.7),
    ("document", _document, 0.9),
    ("mixed", _among_others, 1.0),
)
"""Name, writer and the share of texts up to and with this form."""
