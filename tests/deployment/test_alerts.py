"""The alert rules: promtool's checks and unit tests, and that they ask for what is exported."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.exposition import exported, faults, metrics_in
from tests.deployment.programs import promtool
from tests.source_tree import ROOT

RULES = ROOT / "deploy" / "observability" / "alerts.yaml"
UNIT_TESTS = (
    ROOT / "tests" / "deployment" / "alerts.test.yaml",
    ROOT / "tests" / "deployment" / "alerts.day.test.yaml",
)


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert by its name."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def run(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_promtool_accepts_the_rules() -> None:
    done = run(promtool(), "check", "rules", "--lint=all", "--lint-fatal", RULES)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_unit_tests_pass() -> None:
    done = run(promtool(), "test", "rules", *UNIT_TESTS)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_unit_test_in_which_it_fires() -> None:
    tested = {
        case["alertname"]
        for file in UNIT_TESTS
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
        for case in test.get("alert_rule_test", [])
        if case["exp_alerts"]
    }
    assert tested == alerts().keys()


@pytest.mark.parametrize("name", alerts())
def test_every_alert_asks_for_what_is_exported(name: str) -> None:
    rule = alerts()[name]

    assert not faults(rule["expr"])
    assert metrics_in(rule["expr"]) or "up{" in rule["expr"]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert {"summary", "description"} <= rule["annotations"].keys()


def test_what_is_not_exported_is_found() -> None:
    assert "ecoguard_requests_total" in exported()
    assert faults("rate(ecoguard_request_total[5m])") == ["ecoguard_request_total"]
    assert faults('ecoguard_requests_total{model="x"}') == ["ecoguard_requests_total{model}"]
    assert not faults('ecoguard_requests_total{action=~"a|b",job="j"}')
