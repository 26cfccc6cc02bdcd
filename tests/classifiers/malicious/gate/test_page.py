"""The gate's page begins with its verdict, and says what to do."""

from classifiers.malicious.gate.checks import Check
from classifiers.malicious.gate.gate import GateResult
from classifiers.malicious.gate.page import gate_page, next_steps, verdict

ROWS = {"malicious": 400, "benign": 1000, "hard_benign": 100}
GOOD = Check("auroc", True, "AUROC 0.95, at least 0.9", 0.95, 0.9)
BAD = Check("recall", False, "recall 0.71, in service 0.78", 0.71, 0.76, 0.78)


def result(*checks: Check) -> GateResult:
    return GateResult(checks, None, {"a": 0.9, "b": 0.2}, ROWS)


def test_a_refusal_names_what_to_mend() -> None:
    refused = result(GOOD, BAD)
    assert verdict(refused).startswith("Refused: 1 of 2 checks failed; but the gate set shows less")
    assert next_steps(refused)[0] == "Mend: recall 0.71, in service 0.78."


def test_what_may_be_promoted_is_told_how() -> None:
    assert verdict(result(GOOD)).startswith("May be promoted: 1 checks passed")
    assert "--gate-report" in next_steps(result(GOOD))[-1]


def test_the_page_has_the_verdict_first_and_the_worst_kind_first() -> None:
    page = gate_page("next", result(GOOD, BAD)).html()
    assert page.index("Refused: 1 of 2") < page.index("What to do next") < page.index("Checks")
    assert page.index("<td>b</td>") < page.index("<td>a</td>")
