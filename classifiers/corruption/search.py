"""The search: ask, measure, tell, until a corruption is near enough or the budget is spent.

Candidates are measured on a fixed part of the questions; what seems near enough, and the best few
at the end, on all of them. The best on all is the winner.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, Protocol

from classifiers.corruption.optimizers import Optimizer
from classifiers.corruption.trace import Evaluation, Stage, Trace
from guard.corruption.functions import Corruption
from guard.terms.errors import ConfigError

Ended = Literal["tolerance", "patience", "budget"]
Report = Callable[[int, int], None]
MOST_REPEATS = 20
"""Batches in a row that hold nothing new, after which an optimiser has settled."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """`budget` bounds all measured candidates, finalists included. `tolerance` is a distance,
    `patience` the evaluations without a better one after which the search ends."""

    budget: int = 60
    workers: int = 2
    finalists: int = 3
    tolerance: float = 0.5
    patience: int = 24

    def __post_init__(self) -> None:
        if not 1 <= self.finalists < self.budget or self.workers < 1 or self.patience < 1:
            raise ConfigError("budget: must be above finalists, and all of these above 0")


class Evaluate(Protocol):
    """Measures a corruption on a part of the questions, or on all; safe to call from threads."""

    @property
    def is_staged(self) -> bool:
        """Whether the search's questions are a part of all."""
        ...

    def __call__(self, stage: Stage, corruption: Corruption) -> Evaluation:
        """The measured candidate."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """The winner, measured on all questions, and why the search ended."""

    winner: Evaluation
    ended: Ended
    evaluations: int


@dataclass
class Search:
    """One run. With a trace that has earlier measurements these are used, and count as spent.

    `first` are measured before the optimiser is asked.
    """

    optimizer: Optimizer
    evaluate: Evaluate
    trace: Trace
    plan: SearchPlan = SearchPlan()
    report: Report = lambda _done, _budget: None
    first: Sequence[Corruption] = ()
    _spent: dict[tuple[Stage, Corruption], Evaluation] = field(default_factory=dict)

    def run(self) -> Found:
        """Search to the end; raises what `evaluate` raises, and can then be resumed."""
        ended = self._explore()
        for evaluation in self._ranked("search"):
            if self._room() and len(self._at("full")) < self.plan.finalists:
                self._measure(self._last, [evaluation.corruption])
        winner = min(self._at(self._last), key=lambda evaluation: evaluation.distance)
        return Found(winner, ended, len(self._spent))

    @property
    def _last(self) -> Stage:
        return "full" if self.evaluate.is_staged else "search"

    def _explore(self) -> Ended:
        best, since, repeats = float("inf"), 0, 0
        reserved = self.plan.finalists if self.evaluate.is_staged else 0
        known = [found.distance for found in self._measure("search", self.first)]
        if self._is_near(self.first, known):
            return "tolerance"
        best = min(known, default=best)
        while self._room() > reserved and repeats < MOST_REPEATS:
            batch = self.optimizer.ask(min(self.plan.workers, self._room() - reserved))
            before = len(self._spent)
            distances = [found.distance for found in self._measure("search", batch)]
            self.optimizer.tell(distances)
            new = len(self._spent) - before
            repeats = 0 if new else repeats + 1
            since = 0 if min(distances) < best else since + new
            best = min(best, *distances)
            if self._is_near(batch, distances):
                return "tolerance"
            if since >= self.plan.patience:
                return "patience"
        return "patience" if repeats else "budget"

    def _is_near(self, batch: Sequence[Corruption], distances: Sequence[float]) -> bool:
        """Whether one of the batch is near enough, on all questions."""
        for corruption, distance in zip(batch, distances, strict=True):
            if distance <= self.plan.tolerance and self._room():
                (checked,) = self._measure(self._last, [corruption])
                if checked.distance <= self.plan.tolerance:
                    return True
        return False

    def _measure(self, stage: Stage, corruptions: Sequence[Corruption]) -> list[Evaluation]:
        """Each once, as many at a time as there are workers; into the trace in the order asked."""
        new = [c for c in dict.fromkeys(corruptions) if (stage, c) not in self._spent]
        with ThreadPoolExecutor(self.plan.workers, "corruption-search") as threads:
            for corruption, found in zip(
                new, threads.map(lambda c: self._fresh(stage, c), new), strict=True
            ):
                if self.trace.find_evaluation(stage, corruption) is None:
                    self.trace.add(found)
                self._spent[stage, corruption] = found
        self.report(len(self._spent), self.plan.budget)
        return [self._spent[stage, corruption] for corruption in corruptions]

    def _fresh(self, stage: Stage, corruption: Corruption) -> Evaluation:
        return self.trace.find_evaluation(stage, corruption) or self.evaluate(stage, corruption)

    def _room(self) -> int:
        return max(0, self.plan.budget - len(self._spent))

    def _at(self, stage: Stage) -> list[Evaluation]:
        return [found for (at, _), found in self._spent.items() if at == stage]

    def _ranked(self, stage: Stage) -> list[Evaluation]:
        return sorted(self._at(stage), key=lambda evaluation: evaluation.distance)
