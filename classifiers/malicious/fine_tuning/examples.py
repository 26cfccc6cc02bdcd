"""From labelled prompts to what the tower and the table learn from: windows, labels, weights.

Sources are capped and weighed by the square root of their size, both classes alike, so that no
source's style decides; generated prompts come from the train halves of the generators alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.data.attack_prompts import documents, extract, inject, own_requests, wrap
from classifiers.malicious.data.twins import twins
from classifiers.malicious.fine_tuning.composition import OWN, PromptPools, compose
from classifiers.prompts.labelled import LabelledPrompt
from guard.detectors.sentences import sentences
from guard.screening.cutting.windows import cut
from guard.terms.detector import WINDOWS

Floats = NDArray[np.float32]
INDIRECT = "prompt_injection_indirect"
WHOLE = {INDIRECT, "prompt_injection_direct", "document_clean", "prompt_extraction", "mixed"}
"""Kinds whose evidence may stand anywhere in a window."""
WINDOW_CHARACTERS = WINDOWS[0].characters
"""At most, of what is learned from: whole prompts teach more than their sentences."""
WINDOWS_OF_PROMPT = 2
SHOWN_CHARACTERS = 420
"""Kept of a window in which any part shows what the whole is; injections are kept whole."""
SOURCE_BALANCE = 0.5
"""0: all windows of a class weigh alike; 1: all its sources do."""
SHORT, DOCUMENT = 300, 200
"""Characters: a question that fits a wrapper has at most, a document at least so many."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How many rows of each kind are learned from."""

    per_source: int = 170
    """Windows of each source, class and kind."""
    composed: int = 2800
    twins: int = 700
    wrapped: int = 360
    documents: int = 330
    extractions: int = 60
    sentences: int = 60
    """Of the benign windows of each source and kind: what is read by itself must be learned so."""
    seed: int = 0

    def without_generated(self) -> Self:
        """The same of what people wrote, and nothing that our own code writes."""
        return replace(self, composed=0, twins=0, wrapped=0, documents=0, extractions=0)


@dataclass(frozen=True, slots=True)
class Example:
    """A window to learn from; `group` is its source and class, `sources` those of its parts."""

    text: str
    malicious: bool
    group: str
    sources: frozenset[str]


def build_examples(prompts: Sequence[LabelledPrompt], mixture: Mixture) -> list[Example]:
    """Windows of labelled prompts and of what is generated from them, without duplicates.

    Unlabelled prompts are left out. Generated examples carry the sources of all their parts, so
    that `without` can hold any source out.
    """
    rng = np.random.default_rng(mixture.seed)
    chosen = cap_sources(prompts, mixture.per_source, rng)
    windows = _capped([e for prompt in chosen for e in _windows(prompt)], mixture, rng)
    found = windows + _sentences(windows, mixture)
    found += _composed(_pools(chosen), mixture, rng)
    found += generated_examples(chosen, mixture)
    return list({example.text: example for example in found}.values())


def without(examples: Iterable[Example], sources: frozenset[str]) -> list[Example]:
    """The examples in which none of the sources has a part."""
    return [example for example in examples if not example.sources & sources]


def cap_sources(
    prompts: Sequence[LabelledPrompt], most: int, rng: np.random.Generator
) -> list[LabelledPrompt]:
    """At most so many prompts, drawn at random, of each source, class and kind."""
    groups: dict[tuple[str, str, str], list[LabelledPrompt]] = defaultdict(list)
    for prompt in prompts:
        if prompt.label != "unknown":
            groups[prompt.source, prompt.label, prompt.kind].append(prompt)
    return [rows[int(i)] for rows in groups.values() for i in rng.permutation(len(rows))[:most]]


def labels_of(examples: Sequence[Example]) -> Floats:
    """1 for malicious, 0 for benign, shape (n,)."""
    return np.array([example.malicious for example in examples], dtype=np.float32)


def weights_of(examples: Sequence[Example]) -> Floats:
    """1/(size of the group)^SOURCE_BALANCE, scaled so that each class has half of the total
    weight n; shape (n,)."""
    sizes = Counter((example.group, example.malicious) for example in examples)
    weights = np.array(
        [sizes[example.group, example.malicious] ** -SOURCE_BALANCE for example in examples]
    )
    malicious = labels_of(examples) == 1
    # However many attacks there are, they weigh as much as what is harmless.
    for side in (malicious, ~malicious):
        if side.any():
            weights[side] *= len(examples) / 2 / weights[side].sum()
    return weights.astype(np.float32)


def _windows(prompt: LabelledPrompt) -> list[Example]:
    """The first windows of a prompt.

    Of a document with an injected order only one window holds the order, and nothing says which:
    those with several windows are left out.
    """
    windows = list(cut(prompt.text, *WINDOWS[0]))
    bad = prompt.label == "malicious"
    if bad and prompt.kind == INDIRECT and len(windows) > 1:
        return []
    most = WINDOW_CHARACTERS if prompt.kind in WHOLE else SHOWN_CHARACTERS
    group = f"{prompt.source}/{prompt.kind}"
    sources = frozenset({prompt.source})
    return [Example(window[:most], bad, group, sources) for window in windows[:WINDOWS_OF_PROMPT]]


def _capped(
    examples: Sequence[Example], mixture: Mixture, rng: np.random.Generator
) -> list[Example]:
    """At most `per_source` windows, drawn at random, of each group and class."""
    taken: Counter[tuple[str, bool]] = Counter()
    found = []
    for place in rng.permutation(len(examples)):
        example = examples[int(place)]
        taken[example.group, example.malicious] += 1
        if taken[example.group, example.malicious] <= mixture.per_source:
            found.append(example)
    return found


def _sentences(windows: Sequence[Example], mixture: Mixture) -> list[Example]:
    """Sentences of benign windows, as many of each source and kind.

    Of malicious ones nobody knows which sentences are. The draw is one of its own, so that the
    other examples are the same with and without them.
    """
    rng = np.random.default_rng([mixture.seed, 1])
    by_group: dict[str, list[Example]] = defaultdict(list)
    for window in windows if mixture.sentences else ():
        if not window.malicious:
            group = f"{window.group}/sentences"
            own = (replace(window, text=part, group=group) for part in sentences(window.text))
            by_group[group] += own
    return [
        rows[int(place)]
        for rows in by_group.values()
        for place in rng.permutation(len(rows))[: mixture.sentences]
    ]


def _pools(prompts: Sequence[LabelledPrompt]) -> PromptPools:
    short = [p for p in prompts if len(p.text) <= SHORT]
    return PromptPools(
        harmful=[(p.text, p.source) for p in short if p.label == "malicious"],
        harmless=[(p.text, p.source) for p in short if p.label == "benign"],
        documents=[
            (p.text, p.source) for p in prompts if p.label == "benign" and len(p.text) >= DOCUMENT
        ],
    )


def _composed(pools: PromptPools, mixture: Mixture, rng: np.random.Generator) -> list[Example]:
    rows = compose(pools, mixture.composed, rng)
    return [Example(row.text, row.malicious, f"own/{row.kind}", row.sources) for row in rows]


def generated_examples(prompts: Sequence[LabelledPrompt], mixture: Mixture) -> list[Example]:
    """Twins, wrapped requests, injected documents and extractions of the train halves."""
    harmful, harmless = own_requests("train", 200, mixture.seed)
    third = mixture.documents // 3
    rows = twins("train", mixture.twins, mixture.seed)
    rows += wrap(harmful, harmless, "train", mixture.wrapped // 4, mixture.seed)
    rows += inject(documents("train", third, mixture.seed), "train", mixture.seed)
    rows += extract("train", mixture.extractions, mixture.seed)
    own = [_generated_example(row, frozenset({OWN})) for row in rows]
    return own + _wrapped_pairs(prompts, mixture) + _injected(prompts, mixture)


def _wrapped_pairs(prompts: Sequence[LabelledPrompt], mixture: Mixture) -> list[Example]:
    """Requests of one malicious source and one benign source at a time, in frames."""
    by_source: dict[tuple[str, str], list[str]] = defaultdict(list)
    for prompt in prompts:
        if len(prompt.text) <= SHORT:
            by_source[prompt.label, prompt.source].append(prompt.text)
    bad = [(s, t) for (label, s), t in by_source.items() if label == "malicious" and len(t) > 20]
    good = [(s, t) for (label, s), t in by_source.items() if label == "benign" and len(t) > 20]
    found: list[Example] = []
    for number, (source, texts) in enumerate(bad if good else []):
        other, fillers = good[number % len(good)]
        each = mixture.wrapped // len(bad)
        rows = wrap(texts, fillers, "train", each, mixture.seed + number + 1)
        found += [_generated_example(row, frozenset({OWN, source, other})) for row in rows]
    return found


def _injected(prompts: Sequence[LabelledPrompt], mixture: Mixture) -> list[Example]:
    by_source: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        if prompt.label == "benign" and len(prompt.text) >= DOCUMENT:
            by_source[prompt.source].append(prompt.text[: WINDOW_CHARACTERS - DOCUMENT])
    found: list[Example] = []
    for number, (source, texts) in enumerate(by_source.items()):
        each = max(1, mixture.documents // len(by_source))
        rows = inject(texts[:each], "train", mixture.seed + number + 1)
        found += [_generated_example(row, frozenset({OWN, source})) for row in rows]
    return found


def _generated_example(row: LabelledPrompt, sources: frozenset[str]) -> Example:
    text = row.text[:WINDOW_CHARACTERS]
    return Example(text, row.label == "malicious", f"own/{row.source}", sources)
