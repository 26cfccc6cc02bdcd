"""The chain: stopped and gone on with, it ends as if it had never stopped."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import torch

from lab.test_models.chain import Plan, run_chain
from lab.test_models.checkpoint import Size
from lab.test_models.knowledge import STAGES, Sources
from tests.lab.test_models.invented import tokenizer_of, write_data

PLAN = Plan(
    Size(16, 32, 1, 2), texts=2, tokens=200, first_steps=5, next_steps=3, last_steps=3, save_every=2
)


class StoppedError(Exception):
    """Stands for an interrupt."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources(write_data(tmp_path_factory.mktemp("data"), 60), retained_rows=400)


@pytest.fixture(scope="module")
def tokenizer(sources: Sources) -> Any:
    return tokenizer_of(row.answer for row in sources.of("retain90").questions[:50])


def _run(
    sources: Sources, tokenizer: Any, folder: Path, stop_at: tuple[str, int] | None = None
) -> tuple[dict[str, dict[str, torch.Tensor]], list[tuple[str, int]]]:
    """The stages' weights, and the steps taken, until a step that stops the run."""
    ended: dict[str, dict[str, torch.Tensor]] = {}
    steps: list[tuple[str, int]] = []

    def finish(stage: str, model: Any) -> None:
        ended[stage] = {name: t.clone() for name, t in model.state_dict().items()}

    def report(stage: str, step: int, loss: float) -> None:
        assert loss > 0
        steps.append((stage, step))
        if (stage, step) == stop_at:
            raise StoppedError

    with contextlib.suppress(StoppedError):
        run_chain(sources, tokenizer, PLAN, folder, finish, report)
    return ended, steps


def test_a_stopped_chain_goes_on_where_it_was(
    sources: Sources, tokenizer: Any, tmp_path: Path
) -> None:
    whole, steps = _run(sources, tokenizer, tmp_path / "whole")
    assert list(whole) == list(STAGES)
    assert len(steps) == 5 + 4 * 3
    _run(sources, tokenizer, tmp_path / "parts", ("retain90", 5))
    first, after = _run(sources, tokenizer, tmp_path / "parts", ("retain99", 1))
    assert after[0] == ("retain90", 5)  # of the state saved after step 4
    second, after = _run(sources, tokenizer, tmp_path / "parts")
    assert after[0] == ("retain99", 1)
    assert (*first, *second) == STAGES
    for name, tensor in whole["full"].items():
        assert torch.equal(tensor, second["full"][name]), name


def test_a_finished_chain_has_nothing_to_do(
    sources: Sources, tokenizer: Any, tmp_path: Path
) -> None:
    _run(sources, tokenizer, tmp_path)
    assert _run(sources, tokenizer, tmp_path) == ({}, [])
