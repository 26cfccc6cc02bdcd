"""Each feature's proxy serves the load, and does what it is to be measured at."""

import sqlite3
from pathlib import Path

import pytest

from lab.performance.compare import Plan, compare, model_server
from lab.performance.features import makers
from lab.performance.measurement import Cell


@pytest.mark.usefixtures("capsys")
def test_every_feature_is_at_work(tmp_path: Path) -> None:
    chosen = {n: make for n, make in makers().items() if n in ("limits", "captures", "all traced")}
    plan = Plan([Cell(2, 8, "new", stream=False)], 1, 1.0, most=10)
    with model_server(tmp_path) as upstream:
        (result,) = compare(plan, chosen, upstream, tmp_path, tmp_path)
    assert set(result["figures"]) == {"direct", *chosen}  # type: ignore[call-overload]
    with sqlite3.connect(tmp_path / "captures.db") as records:
        assert records.execute("select count(*) from captured_prompts").fetchone()[0] > 10
