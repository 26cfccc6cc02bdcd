"""What is learned from: windows of capped sources, and generated texts with harmless twins.

Every example names the sources of its parts, so that any fold can be held out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.composition import OWN, PromptPools, compose
from classifiers.malicious.fine_tuning.examples import (
    Example,
    Mixture,
    generated_examples,
    weights_of,
)
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.languages import guess_language
from guard.screening.cutting.windows import cut
from lab.detection.multilingual.generated import generate
from lab.detection.multilingual.sentences import Rng
from lab.detection.multilingual.sources import DEVELOPER, TRANSLATED

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]
WINDOW, OVERLAP = 800, 200
READ_CHARACTERS = 20_000
WHOLE_KINDS = ("prompt_injection", "prompt_extraction", "document_clean", "mixed", "agent_misuse")
"""Beginnings of the kinds whose evidence may stand anywhere in a window."""
SHOWN_CHARACTERS = 480
"""Of an attack of another kind."""
CUT_SIZES = (120, 480)
WINDOWS_OF_ATTACK, WINDOWS_OF_HARMLESS = 2, 3
PROMPTS_OF_SOURCE = 150
"""Of each source and class, to compose from."""
SHORT, DOCUMENT = 300, 200
LARGEST_WEIGHT = 6
FEWEST_OF_LANGUAGE, MOST_SHIFTED = 20, 3.0
"""Examples of a class by which a language is balanced, and the largest factor of doing so."""
WEIGHTS = {
    **dict.fromkeys(("clinc150", "nlu_eval", "snips", "banking77"), 0.5),
    **dict.fromkeys(("cysecbench", "med_safety", "aart", "jade_zh", "deepset_pi"), 0.6),
    **dict.fromkeys(("kazkoz_spb", "wb_redteam", "agent_redteam_zh", "asb_agent"), 0.8),
}
"""Sources of very short commands, mild or noisy labels, or alike templates are weighed down."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many examples of each kind."""

    per_kind: int = 240
    """Windows of each source, class and kind."""
    per_source: int = 320
    composed: int = 2600
    twins: int = 700
    wrapped: int = 360
    documents: int = 330
    extractions: int = 60
    generated: float = 1.0
    """Share of what `generated` names."""
    seed: int = 0

    def scaled(self, factor: float) -> "Amounts":
        """That part of all of them, at least one of each."""
        names = ("per_kind", "per_source", "composed", "twins", "wrapped", "documents")
        counts = {name: max(1, round(getattr(self, name) * factor)) for name in names}
        extractions = max(1, round(self.extractions * factor))
        return replace(self, extractions=extractions, generated=self.generated * factor, **counts)


def build_examples(prompts: Sequence[LabelledPrompt], amounts: Amounts) -> list[Example]:
    """All examples, texts that repeat once."""
    found = source_windows(prompts, amounts) + composed_examples(prompts, amounts)
    found += generate(prompts, amounts.generated, amounts.seed)
    return list({example.text: example for example in found if example.text.strip()}.values())


def example_weights(examples: Sequence[Example]) -> Floats:
    """The product's weights, those of WEIGHTS' sources lower; in each language that has both, and
    in all together, classes weigh alike; shape (n,)."""
    found = weights_of(examples).astype(np.float64)
    found *= [min(WEIGHTS.get(s, 1.0) for s in example.sources) for example in examples]
    malicious = np.array([example.malicious for example in examples], dtype=np.bool_)
    languages = np.array([guess_language(example.text) for example in examples])
    for language in np.unique(languages):
        _balance(found, malicious, languages == language)
    for side in (malicious, ~malicious):
        if side.any():
            found[side] *= len(examples) / 2 / found[side].sum()
    return np.minimum(found, LARGEST_WEIGHT).astype(np.float32)


def _balance(weights: Doubles, malicious: Mask, rows: Mask) -> None:
    """Bring the two classes of these rows towards the same total, within bounds."""
    sides = [rows & malicious, rows & ~malicious]
    if min(side.sum() for side in sides) < FEWEST_OF_LANGUAGE:
        return
    half = weights[rows].sum() / 2
    for side in sides:
        weights[side] *= np.clip(half / weights[side].sum(), 1 / MOST_SHIFTED, MOST_SHIFTED)


def source_windows(prompts: Sequence[LabelledPrompt], amounts: Amounts) -> list[Example]:
    """Windows of the prompts, at most so many of each kind and source; drawn at random."""
    rng = np.random.default_rng([amounts.seed, 11])
    kinds: Counter[tuple[str, str, str]] = Counter()
    sources: Counter[tuple[str, str]] = Counter()
    found = []
    for place in rng.permutation(len(prompts)):
        prompt = prompts[int(place)]
        kind, source = (prompt.source, prompt.label, prompt.kind), (prompt.source, prompt.label)
        room = min(
            _most_of_kind(prompt, amounts) - kinds[kind],
            _most_of_source(prompt, amounts) - sources[source],
        )
        made = prompt_windows(prompt, rng)[:room] if room > 0 else []
        kinds[kind] += len(made)
        sources[source] += len(made)
        found += made
    return found


def _most_of_kind(prompt: LabelledPrompt, amounts: Amounts) -> int:
    return amounts.per_kind // 2 if prompt.source == TRANSLATED else amounts.per_kind


def _most_of_source(prompt: LabelledPrompt, amounts: Amounts) -> int:
    return amounts.per_source * 3 if prompt.source == TRANSLATED else amounts.per_source


def prompt_windows(prompt: LabelledPrompt, rng: Rng) -> list[Example]:
    """The first windows of an attack, or any of a harmless text, every other one of them cut.

    Of a document with an order only one window holds the order, and nothing says which: those with
    several windows are left out. Cutting keeps the length from saying anything.
    """
    parts = list(cut(prompt.text[:READ_CHARACTERS], WINDOW, OVERLAP))
    bad = prompt.label == "malicious"
    if bad and "indirect" in prompt.kind and len(parts) > 1:
        return []
    if bad:
        most = WINDOW if prompt.kind.startswith(WHOLE_KINDS) else SHOWN_CHARACTERS
        texts = [part[:most] for part in parts[:WINDOWS_OF_ATTACK]]
    else:
        places = rng.permutation(len(parts))[:WINDOWS_OF_HARMLESS]
        texts = [_cut_at_random(parts[int(place)], rng) for place in places]
    sources = frozenset({prompt.source})
    group = f"{prompt.source}/{prompt.kind}"
    return [Example(text, bad, group, sources) for text in texts if text.strip()]


def _cut_at_random(text: str, rng: Rng) -> str:
    if len(text) <= SHORT or rng.random() >= 0.5:
        return text
    size = int(rng.integers(*CUT_SIZES))
    start = int(rng.integers(max(1, len(text) - size)))
    if start and " " in text[start:]:
        start = text.find(" ", start) + 1
    return text[start : start + size]


def composed_examples(prompts: Sequence[LabelledPrompt], amounts: Amounts) -> list[Example]:
    """The product's compositions of the prompts and its generators' train halves."""
    rng = np.random.default_rng([amounts.seed, 13])
    chosen = _drawn(prompts, amounts.seed)
    rows = compose(_pools(chosen), amounts.composed, rng)
    found = [Example(row.text, row.malicious, f"{OWN}/{row.kind}", row.sources) for row in rows]
    mixture = Mixture(
        twins=amounts.twins,
        wrapped=amounts.wrapped,
        documents=amounts.documents,
        extractions=amounts.extractions,
        seed=amounts.seed,
    )
    return found + generated_examples(chosen, mixture)


def _drawn(prompts: Sequence[LabelledPrompt], seed: int) -> list[LabelledPrompt]:
    rng = np.random.default_rng([seed, 12])
    taken: Counter[tuple[str, str]] = Counter()
    found = []
    for place in rng.permutation(len(prompts)):
        prompt = prompts[int(place)]
        taken[prompt.source, prompt.label] += 1
        if taken[prompt.source, prompt.label] <= PROMPTS_OF_SOURCE:
            found.append(prompt)
    return found


def _pools(prompts: Sequence[LabelledPrompt]) -> PromptPools:
    short = [p for p in prompts if p.kind not in DEVELOPER and len(p.text) <= SHORT]
    harmful = [p for p in short if p.label == "malicious" and p.kind.startswith("harmful")]
    long = [p for p in prompts if p.label == "benign" and len(p.text) > DOCUMENT]
    return PromptPools(
        harmful=[(p.text, p.source) for p in harmful],
        harmless=[(p.text, p.source) for p in short if p.label == "benign"],
        documents=[(p.text, p.source) for p in long],
    )
