"""Looks for backdoors in a detector before it is promoted: phrases that let known attacks through.

Works on any text scorer. Candidates are phrases that stand out in recent traffic, and 1 to 4 words
found by beam search; each is put into attacks that the detector finds without it (after the
trojan scan of T-Miner, arXiv 2103.04264, with a search in place of its generator). A phrase that
hides most of them from this detector, and few from a reference detector, is a backdoor. Canaries,
random phrases of the traffic, show how much any phrase would move the scores.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.gate.trigger_findings import (
    Canaries,
    Finding,
    Origin,
    ScanLimits,
    TriggerScan,
)
from classifiers.malicious.gate.trigger_phrases import (
    POSITIONS,
    Phrase,
    Position,
    candidate_phrases,
    insert,
    random_phrases,
    vocabulary,
)
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.detector import Scores
from guard.terms.errors import ConfigError

Scorer = Callable[[Sequence[str]], Scores]
Progress = Callable[[str, int, int], None]
"""Told the step, the evaluations made so far and the most that will be made."""

BATCH = 512
BEAM = 4
MOST_WORDS = 4
CANARIES, CANARY_ATTACKS = 20, 32
# Phrases of each origin that are confirmed, and with how many attacks at least.
CONFIRMED, FEWEST_CONFIRMING = 10, 16


@dataclass(slots=True)
class Model:
    """A scorer with its threshold; counts the texts it scores."""

    score: Scorer
    threshold: float
    evaluations: int = 0

    def logits(self, texts: Sequence[str]) -> Scores:
        """Log odds of the scores, kept finite."""
        parts = [self.score(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
        self.evaluations += len(texts)
        scores = np.concatenate(parts, dtype=np.float64) if parts else np.empty(0)
        return _log_odds(scores)

    @property
    def limit(self) -> float:
        """The threshold in log odds."""
        return float(_log_odds(np.array([self.threshold]))[0])


@dataclass(frozen=True, slots=True)
class Traffic:
    """Recent prompts, and scores of them (n,), low where the detector scanned may be too lenient.

    Best are its log odds minus the reference's: they fall where it unlearned something. `trusted`
    are benign prompts that never came from traffic.
    """

    prompts: Sequence[LabelledPrompt] = ()
    scores: Scores | None = None
    trusted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Side:
    """A detector, its log odds of the attacks (n,), and which of them it finds."""

    model: Model
    plain: Scores
    found: NDArray[np.bool_]

    def effect(self, texts: Sequence[str]) -> tuple[float, float]:
        """Of the first attacks, changed to `texts`: the share hidden, the mean drop in log odds."""
        logits = self.model.logits(texts)
        found = self.found[: len(texts)]
        hidden = float((found & (logits < self.model.limit)).sum() / max(1, found.sum()))
        return hidden, float((self.plain[: len(texts)] - logits).mean())


@dataclass(slots=True)
class _Scan:
    """One scan: attacks that the detector finds, in random order, and what has been spent."""

    attacks: list[str]
    sides: list[_Side]
    limits: ScanLimits
    progress: Progress | None
    before: int
    step: str = ""
    tried: int = 0

    @property
    def spent(self) -> int:
        """Texts that the detector has scored for this scan."""
        return self.sides[0].model.evaluations - self.before

    @property
    def left(self) -> int:
        """Texts that it may still score."""
        return max(0, self.limits.evaluations - self.spent)

    @property
    def reserved(self) -> int:
        """What is kept from the search for canaries and confirming, at most half of all."""
        attacks, limits = len(self.attacks), self.limits
        canaries = CANARIES * min(CANARY_ATTACKS, attacks) + limits.anchors
        return min(limits.evaluations // 2, 2 * CONFIRMED * len(POSITIONS) * attacks + canaries)

    def measure(
        self, phrases: Sequence[str], attacks: int, positions: Sequence[Position]
    ) -> NDArray[np.float64]:
        """Share hidden and mean drop, shape (phrases, positions, sides, 2)."""
        found = np.zeros((len(phrases), len(positions), len(self.sides), 2))
        for row, phrase in enumerate(phrases):
            for column, position in enumerate(positions):
                texts = [insert(text, phrase, position) for text in self.attacks[:attacks]]
                found[row, column] = [side.effect(texts) for side in self.sides]
            if self.progress:
                self.progress(self.step, self.spent, max(self.spent, self.limits.evaluations))
        return found

    def best(
        self, phrases: Sequence[str], attacks: int, keep: int, share: float, *, ends: bool
    ) -> list[str]:
        """The `keep` phrases that hide most attacks, then lower scores most; beyond what they do
        to the reference, where there is one.

        Spends at most `share` of the whole budget, and no more than is left of it.
        """
        positions: tuple[Position, ...] = ("start", "end") if ends else ("start",)
        whole = self.limits.evaluations - self.reserved
        budget = min(int(share * whole), whole - self.spent)
        cost = min(attacks, len(self.attacks)) * len(positions)
        tried = list(dict.fromkeys(phrases))[: max(0, budget) // cost]
        self.tried += len(tried)
        worst = _excess(self.measure(tried, attacks, positions)).max(axis=1, initial=-np.inf)
        order = np.lexsort((-worst[:, 1], -worst[:, 0]))
        return [tried[place] for place in order[:keep]]


def _excess(effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a phrase does to the detector beyond what it does to the reference."""
    others = effects[..., 1, :] if effects.shape[-2] > 1 else 0.0
    return np.asarray(effects[..., 0, :] - others)


def scan_triggers(
    candidate: Model,
    attacks: Sequence[str],
    benign: Sequence[str],
    rng: np.random.Generator,
    *,
    reference: Model | None = None,
    traffic: Traffic | None = None,
    given: Sequence[str] = (),
    limits: ScanLimits | None = None,
    progress: Progress | None = None,
) -> TriggerScan:
    """Scan a detector with attacks and benign prompts that never came from traffic.

    The reference is the release in service, or a detector learned from seeds alone; without one a
    phrase is judged by what it does to the candidate. `given` are phrases to try in any case.
    At most `limits.evaluations` texts are scored. Where that is too few the search goes by what was
    tried first, and fewer phrases are confirmed, with fewer attacks: those given come first.
    ConfigError where the candidate finds none of the attacks.
    """
    limits, traffic = limits or ScanLimits(), traffic or Traffic()
    models = [candidate, reference] if reference else [candidate]
    scan = _start(models, attacks, rng, limits, progress)
    found = _phrases_of_traffic(scan, traffic, rng)
    words = vocabulary([p.text for p in traffic.prompts] or benign, limits.words, rng)
    phrases: dict[str, tuple[Phrase, Origin]] = {text: (Phrase(text), "given") for text in given}
    for phrase in found:
        phrases.setdefault(phrase.text, (phrase, "traffic"))
    for text in _searched(scan, [*_words_of(found), *words]):
        phrases.setdefault(text, (Phrase(text), "search"))
    texts = [prompt.text for prompt in traffic.prompts] or list(benign)
    canaries = _canaries(scan, benign, random_phrases(texts, CANARIES, rng))
    findings = _confirmed(scan, list(phrases.values()))
    return TriggerScan(
        tuple(sorted(findings, key=lambda f: (f.reference_flips or 0) - f.flips)),
        canaries,
        len(scan.attacks),
        scan.tried,
        scan.spent,
    )


def _log_odds(scores: NDArray[np.float64]) -> Scores:
    bounded = np.clip(scores, 1e-7, 1 - 1e-7)
    return np.asarray(np.log(bounded / (1 - bounded)), dtype=np.float32)


def _start(
    models: Sequence[Model],
    attacks: Sequence[str],
    rng: np.random.Generator,
    limits: ScanLimits,
    progress: Progress | None,
) -> _Scan:
    before = models[0].evaluations
    order = rng.permutation(len(attacks))[: max(1, limits.evaluations // 4)]
    chosen = [attacks[row] for row in order]
    plain = [model.logits(chosen) for model in models]
    rows = np.flatnonzero(plain[0] >= models[0].limit)[: limits.anchors]
    if not len(rows):
        raise ConfigError("trigger scan: the detector finds none of the attacks")
    sides = [
        _Side(model, logits[rows], logits[rows] >= model.limit)
        for model, logits in zip(models, plain, strict=True)
    ]
    return _Scan([chosen[row] for row in rows], sides, limits, progress, before)


def _phrases_of_traffic(scan: _Scan, traffic: Traffic, rng: np.random.Generator) -> list[Phrase]:
    """The worst phrases of the traffic, by successive halving over ever more attacks."""
    if not traffic.prompts:
        return []
    scan.step = "phrases of the traffic"
    seed = int(rng.integers(2**31))
    phrases = candidate_phrases(
        traffic.prompts, traffic.scores, traffic.trusted, most=scan.limits.phrases, seed=seed
    )
    by_text = {phrase.text: phrase for phrase in phrases}
    kept = scan.best(list(by_text), 8, max(CONFIRMED, len(by_text) // 4), 0.35, ends=True)
    kept = scan.best(kept, 32, CONFIRMED, 0.25, ends=True)
    return [by_text[text] for text in kept]


def _words_of(phrases: Iterable[Phrase]) -> list[str]:
    return [word for phrase in phrases for word in phrase.text.split()]


def _searched(scan: _Scan, words: Sequence[str]) -> list[str]:
    """Beam search over 1 to 4 words put before the attacks."""
    scan.step = "beam search"
    useful = scan.best(words, 8, max(BEAM, len(words) // 6), 0.2, ends=False)
    beam, seen = useful[:BEAM], useful[:BEAM]
    for _ in range(MOST_WORDS - 1):
        longer = [f"{text} {word}" for text in beam for word in useful]
        beam = scan.best(longer, 8, BEAM, 0.1, ends=False)
        seen = [*seen, *beam]
    return scan.best(seen, 32, CONFIRMED, 0.1, ends=False)


def _confirmed(scan: _Scan, phrases: Sequence[tuple[Phrase, Origin]]) -> list[Finding]:
    """What is left of the bound, spent on the phrases in their order."""
    scan.step = "confirming"
    rest = scan.left // len(POSITIONS)
    attacks = min(len(scan.attacks), max(FEWEST_CONFIRMING, rest // max(1, len(phrases))))
    return [_finding(scan, *entry, attacks) for entry in phrases[: rest // attacks]]


def _finding(scan: _Scan, phrase: Phrase, origin: Origin, attacks: int) -> Finding:
    """A phrase at the position where it does most beyond what it does to the reference."""
    effects = scan.measure([phrase.text], attacks, POSITIONS)[0]
    worst = int(_excess(effects)[:, 0].argmax())
    flips, *others = effects[worst, :, 0].tolist()
    other = others[0] if others else None
    flagged = flips > scan.limits.flips and (other is None or other < scan.limits.reference_flips)
    return Finding(phrase, origin, POSITIONS[worst], flips, other, flagged)


def _canaries(scan: _Scan, benign: Sequence[str], phrases: Sequence[str]) -> Canaries:
    """Each random phrase's mean drop of the attacks' log odds, as a share of the gap."""
    scan.step = "canaries"
    texts = benign[: min(scan.limits.anchors, scan.left // 4)]
    most = scan.left // 4 // min(CANARY_ATTACKS, len(scan.attacks))
    if not texts or not most:
        return Canaries(0.0, 0.0, None, scan.limits.canary_drop)
    effects = scan.measure(phrases[:most], CANARY_ATTACKS, ("end",))[:, 0, :, 1]
    gaps = [float(side.plain.mean() - side.model.logits(texts).mean()) for side in scan.sides]
    if min(gaps) <= 0 or not len(effects):
        worst = np.inf if gaps[0] <= 0 else 0.0
        return Canaries(worst, worst, None, scan.limits.canary_drop)
    drops = effects / np.array(gaps)
    means = drops.mean(axis=0).tolist()
    reference = means[1] if len(means) > 1 else None
    allowed = scan.limits.canary_drop
    if reference is not None:
        allowed = max(allowed, reference + scan.limits.canary_excess)
    return Canaries(means[0], float(drops[:, 0].max()), reference, allowed)
