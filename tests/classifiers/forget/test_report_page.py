"""A forget request's page begins with what is missed, and says what to do."""

from typing import Any

import pytest

from classifiers.forget.report_page import advice, forget_page, verdict


def rates(missed: float = 0.0) -> dict[str, float]:
    return {"fnr": missed, "fpr": 0.001, "forget": 50, "retain": 400}


def report(**changes: Any) -> dict[str, Any]:
    """A report in which nothing is missed."""
    rows = ("prompts", "disguised", "strangers", "prompts_head_alone", "disguised_head_alone")
    threshold = {"value": 0.9, "method": "tail", "retain_rows": 400, "finds_forget": True}
    plain: dict[str, Any] = {row: rates() for row in rows}
    plain |= {"threshold": threshold, "known_missed": 0, "exemplars": {"count": 3, "ambiguous": 0}}
    return {**plain, **changes}


def test_the_verdict_says_first_what_the_head_alone_misses() -> None:
    said = verdict(report(prompts_head_alone=rates(1.0), prompts=rates(0.06)))
    assert said.startswith("Misses 100 of 100 questions that name nobody by a name it knows, 6 of")
    assert "False alarms: 0.10% of 400 harmless prompts" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompts_head_alone": rates(0.5)}, "Names do most of the work"),
        ({"disguised": rates(0.2)}, "Rewritten questions are missed"),
        ({"known_missed": 2}, "2 of the forget prompts themselves are not found"),
        (
            {"threshold": {**report()["threshold"], "finds_forget": False}},
            "The threshold that keeps harmless prompts safe misses forget prompts",
        ),
    ],
)
def test_what_to_do_follows_from_what_is_missed(changes: dict[str, Any], said: str) -> None:
    told = advice(report(**changes))
    assert told[0].startswith(said)
    assert len(told) == 2


def test_the_page_is_one_file_that_begins_with_the_verdict() -> None:
    page = forget_page("Request <7>", report()).decode()
    assert "Request &lt;7&gt;" in page
    assert page.index("Misses 0 of 100") < page.index("What to do next") < page.index("Figures")
    assert "http" not in page.replace("http-equiv", "")
