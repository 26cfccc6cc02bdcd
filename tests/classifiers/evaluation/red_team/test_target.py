"""What became of an attack, by what was answered."""

from typing import Any

import pytest

from classifiers.evaluation.red_team.attacks import Attack
from classifiers.evaluation.red_team.target import (
    Outcome,
    Result,
    judged,
    outcome_of,
    require_answers,
)
from guard.terms.errors import ConfigError


@pytest.mark.parametrize(
    ("status", "answer", "outcome"),
    [
        (200, {"choices": [{"finish_reason": "length"}]}, "passed"),
        (200, {"choices": [{"finish_reason": "content_filter"}]}, "stopped"),
        (200, {"stop_reason": "refusal"}, "stopped"),
        (200, {"incomplete_details": {"reason": "content_filter"}}, "stopped"),
        (200, {"incomplete_details": None, "output": []}, "passed"),
        (400, {"error": {"code": "content_filter"}}, "stopped"),
        (400, {"error": {"code": "unknown_field"}}, "refused"),
        (400, {"error": {"code": None}}, "refused"),
        (503, {"error": {"code": "screening_timeout"}}, "unjudged"),
        (429, {"error": {"code": "rate_limited"}}, "failed"),
        (502, {"error": "down"}, "failed"),
    ],
)
def test_outcomes(status: int, answer: dict[str, Any], outcome: Outcome) -> None:
    assert outcome_of(status, answer) == outcome


@pytest.mark.parametrize(
    ("action", "findings", "outcome"),
    [
        ("allow", [], "passed"),
        ("flag", [{"failed": False, "shadow": False}], "passed"),
        ("corrupt", [{"failed": False, "shadow": False}], "stopped"),
        (
            "block",
            [{"failed": True, "shadow": False}, {"failed": False, "shadow": True}],
            "unjudged",
        ),
    ],
)
def test_verdicts(action: str, findings: list[dict[str, bool]], outcome: Outcome) -> None:
    assert judged(200, {"action": action, "findings": findings}) == outcome


def test_a_verdict_that_is_none() -> None:
    assert judged(400, {"error": {"code": "unknown_field"}}) == "refused"


@pytest.mark.parametrize(
    ("outcome", "told", "harmless", "through"),
    [
        ("passed", None, False, True),
        ("passed", True, False, True),
        ("passed", False, False, False),
        ("passed", None, True, False),
        ("unjudged", None, False, False),
    ],
)
def test_what_counts_as_through(
    outcome: Outcome, told: bool | None, harmless: bool, through: bool
) -> None:
    attack = Attack("requests", "", {}, harmless=harmless)
    assert Result(attack, outcome, told).through is through


def test_too_few_answers_are_an_error() -> None:
    attack = Attack("requests", "", {})
    with pytest.raises(ConfigError, match="2 of 3 requests failed"):
        require_answers([Result(attack, o) for o in ("failed", "failed", "passed")])
    require_answers([])
