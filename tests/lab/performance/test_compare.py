"""A comparison from start to end, small; ratios, tables, the picture. No figure is judged here."""

import os
from pathlib import Path

import orjson
import pytest

from lab.performance import compare
from lab.performance.compare import Plan, make_plan, parser
from lab.performance.contestants import contestants, ecoguard, missing
from lab.performance.cost import cost_of, descendants
from lab.performance.measurement import Cell, Run, cells, ratios, summary
from lab.performance.plot import plot
from lab.performance.table import lines
from lab.performance.with_vllm import vllm_cells

CELL = Cell(2, 8, "new", stream=True)


def run(name: str, rate: float, cpu_us: float) -> Run:
    return Run(name, 10, rate, 1.0, 2.0, 0.5, cpu_us, 10.0)


def test_ratios_are_to_direct_access_and_costs_to_nginx() -> None:
    runs = [run("direct", 100, 5), run("direct", 300, 7), run("nginx", 50, 10), run("x", 20, 40)]
    result = summary(CELL, runs)
    assert result["figures"]["direct"]["rate"] == 200  # type: ignore[index]
    assert result["ratios"]["x"]["rate"] == 0.1  # type: ignore[index]
    assert result["ratios"]["x"]["cpu_us"] == 4  # type: ignore[index]


def test_without_nginx_costs_have_no_ratio() -> None:
    figures = {"rate": 5.0, "cpu_us": 4.0}
    assert ratios(figures, {"direct": {"rate": 10.0, "cpu_us": 1.0}}) == {"rate": 0.5}


def test_the_table_and_the_picture_show_every_contestant(tmp_path: Path) -> None:
    result = summary(CELL, [run("direct", 100, 5), run("nginx", 50, 10), run("guard off", 20, 40)])
    text = "\n".join(lines(result))
    assert all(name in text for name in ("direct", "nginx", "guard off", "2 conn., 8 tokens"))
    plot([result], tmp_path / "results.png")
    assert (tmp_path / "results.png").read_bytes().startswith(b"\x89PNG")


def test_the_plan_covers_the_matrix(tmp_path: Path) -> None:
    plan = make_plan(parser().parse_args(["--out", str(tmp_path)]))
    assert set(cells((1, 16, 64), (64, 4000), ("new", "repeated"), (False, True))) < set(plan.cells)
    assert {cell.model for cell in plan.cells} == {"prompt", "late", "paced"}
    quick = make_plan(parser().parse_args(["--out", str(tmp_path), "--quick"]))
    assert len(quick.cells) < len(plan.cells)


def test_the_plan_before_vllm_asks_for_its_model() -> None:
    assert {cell.model for cell in vllm_cells()} == {"demo"}
    assert len(set(vllm_cells())) == 8


def test_what_is_missing_is_said() -> None:
    assert any("LiteLLM" in line for line in missing(None))
    assert "litellm" not in contestants(None, None)


def test_cost_counts_cpu_and_memory() -> None:
    before = cost_of(os.getpid())
    sum(number * number for number in range(200_000))
    after = cost_of(os.getpid())
    assert after.cpu_s > before.cpu_s
    assert after.memory_bytes > 1 << 20
    assert os.getpid() in descendants(os.getppid())


def test_a_comparison_runs_from_start_to_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan([Cell(2, 8, "new", stream=False), CELL], 1, 0.05, most=10, answer_tokens=4)
    with compare.model_server(tmp_path) as upstream:
        makers = {"guard off": ecoguard("off", {})}
        results = compare.compare(plan, makers, upstream, tmp_path, tmp_path)
    assert orjson.loads((tmp_path / "results.json").read_bytes()) == results
    assert [set(result["figures"]) for result in results] == [{"direct", "guard off"}] * 2  # type: ignore[call-overload]
    assert "guard off" in capsys.readouterr().out
