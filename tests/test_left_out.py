"""The summary of a run: how many tests were left out, and why."""

from dataclasses import dataclass

from tests.left_out import left_out


@dataclass
class Report:
    longrepr: object


def skipped(reason: str) -> Report:
    return Report(("tests/test_x.py", 3, f"Skipped: {reason}"))


def test_reasons_are_counted_the_most_frequent_first() -> None:
    reports = [skipped("no helm"), skipped("no Redis server"), skipped("no Redis server")]
    assert left_out(reports) == [
        "tests left out: 2: no Redis server",
        "tests left out: 1: no helm",
    ]


def test_where_nothing_was_left_out_nothing_is_said() -> None:
    assert left_out([]) == []


def test_any_form_of_report_is_told() -> None:
    assert left_out([Report("expected failure")]) == ["tests left out: 1: expected failure"]
