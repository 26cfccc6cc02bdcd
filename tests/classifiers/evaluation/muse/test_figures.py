"""Figures and report of invented measurements."""

import json
from pathlib import Path

import pytest

from classifiers.evaluation.muse.evaluation import Measured, StageMeasured
from classifiers.evaluation.muse.figures import DIRECT, PROXY, RETAIN, SERVED, figures
from classifiers.evaluation.muse.folds import Stage
from classifiers.evaluation.muse.report import HTML, JSON, write_report
from classifiers.evaluation.muse.rows import PASSAGES, QUESTIONS, AskedRow, write_rows

SECRET = "asked the keeper of Larmouth"


def _measured(rouge: float, forget: tuple[float, ...], corrupted: bool = False) -> Measured:
    rows = {
        name: [
            AskedRow(SECRET, SECRET, rouge if "forget" in name else 0.8, corrupted and n == 0)
            for n in range(2)
        ]
        for name in (*PASSAGES, *QUESTIONS)
    }
    scores = {"forget": forget, "held_out": (-2.0, -2.0)} if forget else {}
    return Measured(rows, scores)


WAYS = {
    DIRECT: _measured(1.0, (-0.1, -0.2)),
    SERVED: _measured(0.2, (-1.0, -3.0), corrupted=True),
    PROXY: _measured(0.2, ()),
    RETAIN: _measured(0.25, (-1.9, -2.1)),
}
ROW = AskedRow(SECRET, SECRET, 0.5, True)
STAGES = [
    StageMeasured(Stage(kind, 1, (Path("a"),)), [ROW], [ROW], [ROW])
    for kind in ("scalability", "sustainability")
]


def test_criteria_by_way_of_asking() -> None:
    found = figures(WAYS, [], 4)["ways"]
    assert isinstance(found, dict)
    direct, served, proxy = found[DIRECT], found[SERVED], found[PROXY]
    assert isinstance(direct, dict)
    assert isinstance(served, dict)
    assert isinstance(proxy, dict)
    assert direct["verbatim_forget"] == 1.0
    assert direct["knowledge_retain"] == pytest.approx(0.8)
    assert direct["privacy_leakage"] == pytest.approx(-100.0)
    assert served["privacy_leakage"] == pytest.approx(0.0)
    assert figures(WAYS, [], 4)["corrupted"] == dict.fromkeys((*PASSAGES, *QUESTIONS), 0.5)
    assert proxy["leakage_auc"] is None
    assert proxy["privacy_leakage"] is None


def test_blocked_passages_have_no_auc() -> None:
    blocked = _measured(0.1, (-1.0, float("nan")))
    found = figures({DIRECT: blocked, SERVED: blocked}, [], 4)["ways"]
    assert isinstance(found, dict)
    direct = found[DIRECT]
    assert isinstance(direct, dict)
    assert direct["leakage_auc"] is None


def test_stages_are_shares_of_the_folds() -> None:
    found = figures(WAYS, STAGES, 4)
    assert found["scalability"] == found["sustainability"]
    (stage,) = json.loads(json.dumps(found["scalability"]))
    assert (stage["share"], stage["requests"]) == (0.25, 1)
    assert (stage["verbatim_forget"], stage["retain_corrupted"]) == (0.5, 1.0)


def test_the_report_holds_every_figure_and_no_text(tmp_path: Path) -> None:
    found = figures(WAYS, STAGES, 4)
    write_report(tmp_path, {"model": "books"}, found, WAYS)
    document = json.loads((tmp_path / JSON).read_text("utf-8"))
    assert document == {"settings": {"model": "books"}, **json.loads(json.dumps(found))}
    page = (tmp_path / HTML).read_text("utf-8")
    assert SECRET not in page
    for heading in ("Criteria 1 to 4", "Min-K%", "Scalability", "Sustainability"):
        assert heading in page


def test_logs_hold_a_line_for_every_row(tmp_path: Path) -> None:
    measured = WAYS[SERVED]
    write_rows(tmp_path / "logs" / "served.jsonl", measured.rows, measured.min_k)
    lines = (tmp_path / "logs" / "served.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 2 * len((*PASSAGES, *QUESTIONS))
    assert [row["min_k"] for row in rows if row["set"] == "forget"] == [-1.0, -3.0]
    assert {row["min_k"] for row in rows if row["set"] == "retain"} == {None}
