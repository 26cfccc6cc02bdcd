"""The search on an objective whose optimum is known: found, ended early, resumed alike."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from classifiers.corruption.optimizers import DEFAULT, make_optimizer
from classifiers.corruption.search import Found, Search, SearchPlan
from classifiers.corruption.trace import Evaluation, Trace
from guard.corruption.functions import Corruption
from guard.terms.errors import ConfigError
from tests.classifiers.corruption.rig import BEST, SPACE, KnownOptimum, away

PLAN = SearchPlan(budget=60, workers=2, finalists=3, tolerance=0.5, patience=60)


def search(
    file: Path, evaluate: KnownOptimum, plan: SearchPlan = PLAN, name: str = DEFAULT, seed: int = 0
) -> Found:
    optimizer = make_optimizer(
        name, SPACE, None, budget=plan.budget, workers=plan.workers, seed=seed
    )
    with Trace(file, {"seed": seed}) as trace:
        return Search(optimizer, evaluate, trace, plan).run()


def test_the_optimum_is_found_within_sixty_evaluations(tmp_path: Path) -> None:
    found = [search(tmp_path / f"{seed}", KnownOptimum(), seed=seed) for seed in range(5)]
    assert all(result.evaluations <= 60 for result in found)
    assert sum(result.ended == "tolerance" for result in found) >= 3
    assert sorted(result.winner.distance for result in found)[2] <= 0.5


def test_it_stops_when_near_enough_on_all_questions(tmp_path: Path) -> None:
    plan = SearchPlan(budget=60, workers=2, finalists=2, tolerance=2.0, patience=60)
    evaluate = KnownOptimum()
    found = search(tmp_path / "trace", evaluate, plan)
    assert found.ended == "tolerance"
    assert found.evaluations == len(evaluate.measured) < 30
    assert found.winner.stage == "full"
    assert found.winner.distance <= 2.0


def test_near_on_a_part_is_not_enough(tmp_path: Path) -> None:
    plan = SearchPlan(budget=30, workers=2, finalists=2, tolerance=2.0, patience=60)
    found = search(tmp_path / "trace", KnownOptimum(shift=5.0), plan)
    assert found.ended == "budget"
    assert found.winner.stage == "full"
    assert found.winner.distance > 5.0


def test_without_a_part_all_are_the_searchs(tmp_path: Path) -> None:
    evaluate = KnownOptimum(is_staged=False)
    found = search(tmp_path / "trace", evaluate, SearchPlan(budget=20, tolerance=0.0))
    assert {stage for stage, _ in evaluate.measured} == {"search"}
    assert found.winner.distance == min(away(corruption) for _, corruption in evaluate.measured)


def test_it_gives_up_when_nothing_gets_better(tmp_path: Path) -> None:
    plan = SearchPlan(budget=60, workers=1, finalists=1, tolerance=0.0, patience=6)
    evaluate = KnownOptimum()
    found = search(tmp_path / "trace", evaluate, plan)
    assert found.ended == "patience"
    assert found.evaluations < 60
    tried = [away(corruption) for stage, corruption in evaluate.measured if stage == "search"]
    assert min(tried[-6:]) >= min(tried[:-6])


def test_an_optimiser_that_repeats_itself_is_ended(tmp_path: Path) -> None:
    class Stubborn:
        def ask(self, count: int) -> list[Corruption]:
            return [BEST] * count

        def tell(self, distances: Sequence[float]) -> None:
            assert distances

    evaluate = KnownOptimum(shift=1.0)
    with Trace(tmp_path / "trace", {}) as trace:
        found = Search(Stubborn(), evaluate, trace, SearchPlan(tolerance=0.1)).run()
    assert found.ended == "patience"
    assert evaluate.measured == [("search", BEST), ("full", BEST)], "each measured once"


def kept(file: Path) -> list[Evaluation]:
    with Trace(file, {"seed": 0}) as trace:
        return trace.evaluations


@pytest.mark.parametrize("broken", [1, 9, 20])
def test_an_interrupted_search_goes_on_to_the_same_trace(tmp_path: Path, broken: int) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    plan = SearchPlan(budget=24, workers=2, finalists=2, tolerance=0.0, patience=60)
    expected = search(whole, KnownOptimum(), plan)
    with pytest.raises(ConnectionError):
        search(parts, KnownOptimum(dies_after=broken), plan)
    rest = KnownOptimum()
    assert search(parts, rest, plan) == expected
    assert kept(parts) == kept(whole)
    assert len(rest.measured) <= 24 - broken + 2


def test_the_trace_of_another_search_is_refused(tmp_path: Path) -> None:
    search(tmp_path / "trace", KnownOptimum(), SearchPlan(budget=4, finalists=1))
    with pytest.raises(ConfigError, match=r"trace: holds the work of another run \(seed differs\)"):
        search(tmp_path / "trace", KnownOptimum(), seed=1)


def test_a_budget_must_hold_its_finalists() -> None:
    with pytest.raises(ConfigError, match="budget"):
        SearchPlan(budget=3, finalists=3)


def test_what_is_served_by_default_is_measured_first(tmp_path: Path) -> None:
    evaluate = KnownOptimum(is_staged=False)
    optimizer = make_optimizer(DEFAULT, SPACE, None, budget=9, workers=1, seed=0)
    plan = SearchPlan(budget=9, workers=1, finalists=1, tolerance=0.1)
    with Trace(tmp_path / "trace", {}) as trace:
        found = Search(optimizer, evaluate, trace, plan, first=[BEST]).run()
    assert (found.winner.corruption, found.ended) == (BEST, "tolerance")
    assert evaluate.measured == [("search", BEST)]
