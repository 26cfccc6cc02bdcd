"""Requests blocked, and attacks found, in conversations of any length, as serving screens them.

python -m lab.detection.conversations --artifact DIR --prompts DIR --out FILE --sources NAME ...

Conversations are composed of harmless prompts of `--sources`: name those that the artifact has not
learned from. Their halves take turns: one sets thresholds (as `ecoguard-train calibrate` does) and
the other is measured, with these and with the artifact's own. Attacks of the sources stand alone,
in the last user's turn, and in what a tool returns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
import typer

from classifiers.evaluation.request_calibration import NEVER, Calibrated, Part
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.request_thresholds import request_thresholds
from classifiers.statistics.thresholds import TooFewRowsError
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.observability.metrics import Metrics
from guard.screening.amounts import windows_read
from guard.screening.memory import Memory
from guard.screening.policy import Policy
from guard.screening.reading import Reading
from guard.screening.score_cache import ScoreCache
from guard.screening.screener import Screener
from guard.screening.views.view import ViewLimits
from guard.terms.item import AUTHORS, Author, Item
from guard.terms.thresholds import Thresholds
from guard.terms.verdict import Action
from lab.detection.composed_conversations import (
    Message,
    Parts,
    compose,
    halves_of,
    items_of,
    parts_of,
    tool_result,
)
from lab.detection.multilingual.sources import family_of, hash_text, read_sets

Rng = np.random.Generator
TURNS = (1, 4, 8, 12, 30)
COUNTS: Mapping[int, int] = {1_000: 40, 4_000: 16, 10_000: 8, 30_000: 3}
"""Conversations of each number of turns and half, by tokens."""
FPR = 0.01
ATTACKS = 60
"""Of each half, for each place."""
SHORTEST, LONGEST = 15, 1_500
"""Characters of an attack."""
EVERYBODY: frozenset[Author] = frozenset(AUTHORS)
MEMORY = 1 << 30
HOST_TURNS, HOST_TOKENS = (1, 8), (1_000, 4_000, 10_000)


@dataclass(frozen=True, slots=True)
class Case:
    """A request to be screened, and what it is counted under."""

    items: tuple[Item, ...]
    group: str
    turns: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """The share of COUNTS and ATTACKS that is screened, the most tokens of a conversation, and
    whether guards that judge developers' texts are measured too."""

    share: float = 1.0
    longest: int = 30_000
    with_developers: bool = True


@dataclass(slots=True)
class Counted:
    """How many of how many requests are blocked, by what they are counted under."""

    blocked: dict[str, int] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)

    def add(self, names: Iterable[str], blocked: bool) -> None:
        """Count one request under each of the names."""
        for name in names:
            self.blocked[name] = self.blocked.get(name, 0) + blocked
            self.total[name] = self.total.get(name, 0) + 1

    def report(self) -> dict[str, dict[str, float]]:
        """The share of each name."""
        return {
            name: {"requests": n, "blocked": self.blocked[name], "share": self.blocked[name] / n}
            for name, n in sorted(self.total.items())
        }


class Bench:
    """A detector, and what it remembers of texts that it has read."""

    def __init__(self, detector: MaliciousTextClassifier) -> None:
        self.detector = detector
        self.own = detector.thresholds
        self._cache = ScoreCache(MEMORY, Metrics())

    def blocked(self, cases: Sequence[Case], authors: frozenset[Author]) -> list[bool]:
        """Which of the cases a guard blocks whose one policy judges what `authors` wrote."""
        block, threshold = Action.BLOCK, self._threshold()
        policy = Policy("attacks", "malicious", self.detector, threshold, block, block)
        policy = replace(policy, authors=authors)
        screener = Screener([policy], None, Metrics(), cache=self._cache)
        try:
            return [bool(screener.judge(case.items)[0].items) for case in cases]
        finally:
            screener.close()

    def parts(self, case: Case) -> Iterator[Part]:
        """As `request_calibration.request_parts`, with what is remembered."""
        memory = Memory(self._cache, "")
        kept, self.detector.thresholds = self.detector.thresholds, None
        reading = Reading(case.items, None, ViewLimits(), memory)
        scores = reading.item_scores(self.detector, NEVER, self.detector.authors)
        self.detector.thresholds = kept
        windows = windows_read(case.items, self.detector.authors)
        for amount in np.unique(windows[windows > 0]):
            yield Part(float(scores[windows == amount].max()), int(amount))

    def calibrate(self, cases: Sequence[Case]) -> Calibrated:
        """Thresholds by these harmless requests; TooFewRowsError where they are too few."""
        parts = [part for case in cases for part in self.parts(case)]
        scores, windows = [p.score for p in parts], [p.windows for p in parts]
        steps, bins = request_thresholds(scores, windows, FPR / 2)
        return Calibrated(Thresholds(steps), bins, len(cases), FPR)

    def _threshold(self) -> float:
        thresholds = self.detector.thresholds
        return self.detector.threshold if thresholds is None else thresholds.lowest


def harmless_cases(parts: Parts, rng: Rng, amounts: Amounts) -> list[Case]:
    """Conversations of every number of turns and length."""
    return [
        Case(items_of(compose(parts, turns, tokens, rng)), "harmless", turns, tokens)
        for turns in TURNS
        for tokens, count in COUNTS.items()
        if tokens <= amounts.longest
        for _ in range(max(1, round(count * amounts.share)))
    ]


def attack_cases(
    prompts: Sequence[LabelledPrompt], parts: Parts, rng: Rng, amounts: Amounts
) -> list[Case]:
    """Each attack alone, and in a conversation of each length: in the last turn of the user's, or
    one found in documents in what a tool returns."""
    attacks = [p for p in sorted(prompts, key=hash_text) if p.label == "malicious"]
    attacks = [p for p in attacks if SHORTEST <= len(p.text) <= LONGEST]
    found: list[Case] = []
    for prompt in attacks[: max(1, round(ATTACKS * amounts.share))]:
        in_tool = family_of(prompt) in ("injections in documents", "injections direct")
        place = "tool result" if in_tool else "last turn"
        alone = _placed([{"role": "user", "content": "Please go on."}], prompt.text, in_tool, rng)
        found.append(Case(items_of(alone, tools=in_tool), f"{place}, alone", 1, 0))
        for turns in HOST_TURNS:
            for tokens in (length for length in HOST_TOKENS if length <= amounts.longest):
                host = compose(parts, turns, tokens, rng)
                case = items_of(_placed(host, prompt.text, in_tool, rng))
                found.append(Case(case, place, turns, tokens))
    return found


def _placed(host: list[Message], text: str, in_tool: bool, rng: Rng) -> list[Message]:
    if in_tool:
        return [*host, *tool_result("call_last", text, rng)]
    last = max(place for place, message in enumerate(host) if message["role"] == "user")
    return [*host[:last], {"role": "user", "content": text}, *host[last + 1 :]]


def names_of(case: Case) -> list[str]:
    """What a case is counted under."""
    if not case.tokens:
        return [case.group]
    return [
        *(f"{case.group}, all", f"{case.group}, {case.turns} turns"),
        *(f"{case.group}, {case.tokens} tokens",),
    ]


def measure(
    bench: Bench, cases: Sequence[Case], found: dict[str, Counted], *, with_developers: bool
) -> None:
    """Screen the cases with the detector's present thresholds, and count."""
    guards = {"default": bench.detector.authors}
    if with_developers:
        guards["developer too"] = EVERYBODY
    for name, authors in guards.items():
        counted = found.setdefault(name, Counted())
        for case, blocked in zip(cases, bench.blocked(cases, authors), strict=True):
            counted.add(names_of(case), blocked)


def run(
    bench: Bench, prompts: Sequence[LabelledPrompt], seed: int, amounts: Amounts
) -> dict[str, Any]:
    """Both halves in turn; what is blocked with the artifact's thresholds and calibrated ones."""
    found: dict[str, dict[str, Counted]] = {"artifact": {}, "calibrated": {}}
    halves = halves_of(prompts)
    cases = []
    for number, names in enumerate(halves):
        own = [prompt for prompt in prompts if prompt.source in names]
        parts, rng = parts_of(own), np.random.default_rng([seed, number])
        cases.append((harmless_cases(parts, rng, amounts), attack_cases(own, parts, rng, amounts)))
    thresholds = []
    for number in range(len(halves)):
        harmless, attacks = cases[1 - number]
        bench.detector.thresholds = bench.own
        screened = [*harmless, *attacks]
        developers = amounts.with_developers
        measure(bench, screened, found["artifact"], with_developers=developers)
        try:
            calibrated = bench.calibrate(cases[number][0])
        except TooFewRowsError:
            continue
        thresholds.append(calibrated.report())
        bench.detector.thresholds = calibrated.thresholds
        measure(bench, screened, found["calibrated"], with_developers=developers)
    shares = {n: {a: c.report() for a, c in own.items()} for n, own in found.items()}
    return {"halves": [sorted(half) for half in halves], **shares, "thresholds": thresholds}


def main(
    artifact: Annotated[Path, typer.Option(help="The detector's artifact.")],
    prompts: Annotated[Path, typer.Option(help="Folder of prompt sets, gzipped JSON Lines.")],
    out: Annotated[Path, typer.Option(help="JSON file for the figures.")],
    sources: Annotated[list[str], typer.Option(help="Sets that it has not learned from.")],
    share: Annotated[float, typer.Option(min=0.01, help="Of the conversations.")] = 1.0,
    longest: Annotated[int, typer.Option(help="Tokens of the longest ones.")] = 30_000,
    with_developers: Annotated[
        bool, typer.Option(help="Measure a guard that judges developers' texts, too.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
) -> None:
    """Measure an artifact on composed conversations."""
    chosen = [prompt for prompt in read_sets(prompts) if prompt.source in set(sources)]
    bench = Bench(MaliciousTextClassifier.load(artifact))
    found = run(bench, chosen, seed, Amounts(share, longest, with_developers))
    out.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    typer.run(main)
