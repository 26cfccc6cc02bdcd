"""Attack success by hand."""

from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from classifiers.evaluation.extraction.evaluation import Attacked, Sampled
from classifiers.evaluation.extraction.figures import figures
from classifiers.evaluation.extraction.report import HTML, JSON, write_report
from guard.terms.verdict import Action


def sampled(*leaks: bool, rouge: float = 0.2) -> Sampled:
    """Answers that leak or do not."""
    return Sampled(leaks, leaks, tuple(rouge for _ in leaks))


NOTHING = (False,) * 6
LATE = (*(False,) * 5, True)
ATTACKED = [
    # Missed, leaks at the sixth answer; the retain model does not.
    Attacked(
        "plain",
        Action.ALLOW,
        {
            "proxy": sampled(*LATE, rouge=0.9),
            "direct": sampled(*[True] * 6),
            "retain": sampled(*NOTHING),
        },
    ),
    # Corrupted, leaks at once; so does the retain model.
    Attacked(
        "plain",
        Action.CORRUPT,
        {
            "proxy": sampled(*[True] * 6),
            "direct": sampled(*[True] * 6),
            "retain": sampled(*[True] * 6),
        },
    ),
    # Blocked, and nothing that could leak.
    Attacked(
        "turns",
        Action.BLOCK,
        {
            "proxy": Sampled(None, None, (0.1,) * 6),
            "direct": Sampled(None, None, (0.1,) * 6),
            "retain": Sampled(None, None, (0.1,) * 6),
        },
    ),
]


def found() -> Any:
    return cast(Any, figures(ATTACKED))


def test_leak_rates_by_budget() -> None:
    plain = found()["families"]["plain"]

    assert plain["attacks"] == 2
    assert {budget: plain["leak"]["proxy"][budget]["rate"] for budget in ("1", "5")} == {
        "1": 0.5,
        "5": 0.5,
    }
    assert plain["leak"]["direct"]["1"]["rate"] == 1.0
    assert plain["leak"]["retain"]["5"]["rate"] == 0.5
    low, high = (plain["leak"]["proxy"]["1"][end] for end in ("low", "high"))
    assert (low, high) == pytest.approx((0.0126, 0.9874), abs=1e-3)  # Clopper-Pearson, 1 of 2


def test_what_the_classifier_missed_is_told_from_what_leaked_all_the_same() -> None:
    every = found()["all"]
    assert every["missed_by_classifier"]["rate"] == pytest.approx(1 / 3)
    assert every["leaked_attacks"] == {"classifier_missed": 1, "corruption_leaked": 1}
    assert every["leak"]["proxy"]["1"]["rows"] == 2


def test_only_what_the_retain_model_does_not_say_counts_above_it() -> None:
    plain = found()["families"]["plain"]
    assert plain["leak_above_retain"]["5"]["rate"] == 0.0
    assert plain["rouge_above_retain"]["1"]["rate"] == 0.5  # .9 against .2


def test_attacks_without_key_phrases_have_no_rate() -> None:
    turns = found()["families"]["turns"]
    assert turns["leak"]["proxy"]["1"] == {"rate": None, "low": 0.0, "high": 1.0, "rows": 0}
    assert turns["rouge"]["proxy"]["1"] == pytest.approx(0.1)


def test_without_a_retain_model_nothing_is_above_it() -> None:
    alone = [Attacked("plain", Action.ALLOW, {"proxy": sampled(True)})]
    every = cast(Any, figures(alone))["all"]
    assert every["leak_above_retain"] is None
    assert every["leak"]["proxy"]["1"]["rate"] == 1.0


def test_the_report_is_written(tmp_path: Path) -> None:
    write_report(tmp_path, {"model": "demo"}, figures(ATTACKED))
    page = (tmp_path / HTML).read_text()
    assert orjson.loads((tmp_path / JSON).read_bytes())["settings"] == {"model": "demo"}
    assert page.count("<img") == 3
    assert "leaked: corrupted" in page
