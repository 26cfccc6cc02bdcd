"""`ecoguard-train evaluate muse` as an operator runs it, through a real proxy."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from classifiers.evaluation.muse.data import MuseData, Passage, Question, read_muse
from guard.server.app import create_app
from guard.settings import load
from tests.chat_server import ChatServer, chat_server
from tests.classifiers.commands.command_line import run
from tests.classifiers.evaluation.muse.files import write_files
from tests.e2e.serving import served

KEY_VARIABLE = "ECOGUARD_CORRUPTION_KEY"
ROWS = 10

evaluate = partial(run, "evaluate", "muse")


def _answers(passages: Sequence[Passage], questions: Sequence[Question]) -> dict[str, str]:
    known = {passage.request: passage.continuation for passage in passages}
    return known | {row.question: row.answer for row in questions}


def _config(folder: Path, full: ChatServer) -> Path:
    settings = {
        "upstream": {"url": full.url},
        "models": {"demo": {"path": str(full.folder)}},
        "detectors": {"books": {"kind": "phrases", "phrases": ["lost chronicle"]}},
        "policies": [{"name": "forget", "detector": "books", "action": "corrupt"}],
        "corruption": {"kind": "rand_noise_first_n", "dims": 1, "strength": 50},
    }
    file = folder / "guard.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MuseData]:
    folder = write_files(tmp_path_factory.mktemp("data"), ROWS)
    return folder, read_muse(folder)


@pytest.fixture(scope="module")
def options(
    data: tuple[Path, MuseData], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[object, ...]]:
    """Options for a model that knows the forget passages behind a proxy, and for one that never
    met them."""
    folder, rows = data
    root = tmp_path_factory.mktemp("muse")
    kept = _answers(rows.retain, rows.retain_questions)
    known = kept | _answers(rows.forget, rows.forget_questions)
    with (
        pytest.MonkeyPatch.context() as patch,
        chat_server(root / "full", known) as full,
        chat_server(root / "retain", kept) as retain,
    ):
        patch.setenv(KEY_VARIABLE, "a key for tests")
        config = _config(root, full)
        with served(create_app(load(config))) as proxy:
            places = ("--config", config, "--data", folder)
            yield (*places, "--proxy", proxy, "--retain", retain.url)


@pytest.fixture(scope="module")
def measured(options: tuple[object, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    out = tmp_path_factory.mktemp("run") / "out"
    assert evaluate(*options, "--out", out) == 0
    return out


def report(folder: Path) -> Any:
    return orjson.loads((folder / "report.json").read_bytes())


def test_forgotten_passages_are_gone_and_the_rest_stays(measured: Path) -> None:
    ways = report(measured)["ways"]
    assert ways["direct"]["verbatim_forget"] == ways["direct"]["knowledge_forget"] == 1.0
    for way in ("proxy", "as served"):
        assert ways[way]["verbatim_forget"] < 0.2
        assert ways[way]["knowledge_forget"] < 0.2
        assert ways[way]["verbatim_retain"] == ways[way]["knowledge_retain"] == 1.0
    assert ways["retain model"]["verbatim_forget"] < 0.2
    corrupted = report(measured)["corrupted"]
    assert (corrupted["forget"], corrupted["retain"]) == (1.0, 0.0)


def test_privacy_is_measured_where_prompts_can_be_scored(measured: Path) -> None:
    ways = report(measured)["ways"]
    assert ways["direct"]["leakage_auc"] == 0.0  # the members stand out
    assert ways["retain model"]["privacy_leakage"] == 0.0
    assert ways["proxy"]["leakage_auc"] is None


def test_logs_hold_every_row_and_the_report_no_text(
    measured: Path, data: tuple[Path, MuseData]
) -> None:
    page = (measured / "report.html").read_text("utf-8")
    assert data[1].forget[0].continuation not in page
    lines = (measured / "logs" / "direct.jsonl").read_bytes().splitlines()
    rows = [orjson.loads(line) for line in lines]
    assert len(rows) == 5 * ROWS
    assert {row["answer"] for row in rows if row["set"] == "forget"} == {
        passage.continuation for passage in data[1].forget
    }


def test_requests_over_folds_need_an_encoder(
    options: tuple[object, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert evaluate(*options, "--out", out, "--policy", "forget") == 2

    assert "encoder: requests over folds" in capsys.readouterr().err
    assert not (out / "logs").exists()  # said before anything is measured
