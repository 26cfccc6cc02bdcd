"""`ecoguard-train evaluate tofu` as an operator runs it, through a real proxy."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from classifiers.evaluation.kept_answers import ANSWERS
from classifiers.evaluation.tofu.log_files import AGGREGATED
from tests.classifiers.commands.command_line import run
from tests.classifiers.evaluation.guarded_models import Guarded, guarded_models
from tests.classifiers.evaluation.tofu.files import write_files

NOISE = "rand_noise_first_n n=1 σ=0.05"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_models(tmp_path_factory.mktemp("guarded")) as found:
        yield found


evaluate = partial(run, "evaluate", "tofu")


@pytest.fixture(scope="module")
def measured(
    guarded: Guarded, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[object]]:
    """The folder of a finished run, and its arguments."""
    root = tmp_path_factory.mktemp("tofu")
    arguments = [
        *guarded.options,
        *("--data", write_files(root / "data"), "--size", "01", "--no-paper"),
        *("--corruption", "rand_noise_first_n:1:0.05", "--request", guarded.request),
        *("--answer-rows", 1, "--timed-rows", 1, "--out", root / "out"),
    ]
    assert evaluate(*arguments) == 0
    return root / "out", arguments


def report(folder: Path) -> Any:
    return orjson.loads((folder / "report.json").read_bytes())


def test_the_proxy_forgets_and_keeps_the_rest(measured: tuple[Path, list[object]]) -> None:
    found = report(measured[0])
    ways = found["ways"]

    assert ways["direct"]["sets"]["forget"]["rouge"] == 1.0
    assert ways["direct"]["sets"]["forget"]["leak"] == 1.0
    assert ways["proxy"]["sets"]["forget"]["leak"] == 0.0
    assert ways["proxy"]["sets"]["forget"]["rouge"] == ways["as served"]["sets"]["forget"]["rouge"]
    assert ways["proxy"]["model_utility"] == ways["direct"]["model_utility"]
    assert ways["proxy"]["utility_lost"] == 0.0
    assert found["gate"]["forget"] == {"rows": 3, "corrupted_or_blocked": 3}
    assert found["gate"]["retain"]["corrupted_or_blocked"] == 0
    unchanged = {name: row["unchanged"] for name, row in found["proxy_against_direct"].items()}
    assert unchanged == {"forget": 0, "retain": 2, "real_authors": 1, "world_facts": 1}
    assert found["proxy_against_direct"]["retain"]["rows"] == 2, "also those that are not timed"
    assert found["proxy_against_direct"]["retain"]["proxy_ms_median"] > 0


def test_a_weak_corruption_leaks_and_its_scores_are_lower_than_the_models(
    measured: tuple[Path, list[object]],
) -> None:
    ways = report(measured[0])["ways"]
    weak, direct = ways[NOISE]["sets"]["forget"], ways["direct"]["sets"]["forget"]
    assert 0 < weak["probability"] < direct["probability"]
    assert ways["as served"]["sets"]["forget"]["probability"] < weak["probability"]


def test_forget_quality_compares_with_the_retain_model(
    measured: tuple[Path, list[object]],
) -> None:
    ways = report(measured[0])["ways"]
    assert ways["retain model"]["forget_quality"] == {"raw": 1.0, "folded": 1.0, "log10_raw": 0.0}
    assert 0 < ways["direct"]["forget_quality"]["raw"] <= 1.0
    assert ways["direct"]["rouge_above_retain"] > ways["proxy"]["rouge_above_retain"]
    assert ways["filter and refusal"]["forget_quality"] is None


def test_the_rivals_share_the_gate(measured: tuple[Path, list[object]], guarded: Guarded) -> None:
    ways = report(measured[0])["ways"]
    refused = ways["filter and refusal"]
    assert refused["sets"]["forget"]["probability"] is None
    assert refused["sets"]["retain"] == ways["direct"]["sets"]["retain"]
    asked = [
        request["messages"][0]["content"]
        for request in guarded.full.requests
        if request["path"] == "/v1/chat/completions"
    ]
    told = [text for text in asked if "absolutely nothing" in text and "- Ada Moor\n" in text]
    assert len(set(told)) == 3  # one for each forget question, none for others


def test_the_papers_variant_is_reported_apart(measured: tuple[Path, list[object]]) -> None:
    apart = report(measured[0])["answers_corrupted_too"]
    assert set(apart) == {"as served", NOISE}
    assert apart[NOISE]["rows"] == 1
    assert apart[NOISE]["forget_quality"]["raw"] <= 1.0


def test_logs_are_written_for_other_tools_and_a_retain_models_are_read(
    measured: tuple[Path, list[object]],
    guarded: Guarded,
    tmp_path: Path,
) -> None:
    folder, arguments = measured
    logs = folder / "logs" / "retain-model" / AGGREGATED
    at = arguments.index("--retain")
    without = [*arguments[:at], *arguments[at + 2 :]]
    without[without.index("--out") + 1] = tmp_path / "out"
    without[without.index("--answer-rows") + 1] = 0  # each costs hundreds of requests

    assert evaluate(*without, "--retain-logs", logs) == 0
    ways = report(tmp_path / "out")["ways"]
    assert ways["proxy"]["forget_quality"] == report(folder)["ways"]["proxy"]["forget_quality"]
    assert guarded.twin.requests  # asked in the first run only


def test_a_run_goes_on_where_it_stopped(
    measured: tuple[Path, list[object]], guarded: Guarded
) -> None:
    folder, arguments = measured
    with closing(sqlite3.connect(folder / "answers" / ANSWERS)) as answers, answers:
        answers.execute("DELETE FROM results WHERE rowid = (SELECT max(rowid) FROM results)")
    before = report(folder)
    guarded.full.requests.clear()
    guarded.twin.requests.clear()

    assert evaluate(*arguments) == 0
    scoring = [r for r in [*guarded.full.requests, *guarded.twin.requests] if "messages" in r]
    assert 0 < len(scoring) < 60  # the one answer that was lost: at most a request a token
    assert report(folder)["ways"] == before["ways"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (["--size", "05"], "holds no forget05_perturbed"),
        (["--corruption", "noise:1"], "--corruption noise:1: expected KIND:DIMS"),
        (["--corruption", "flip_sign_top_k:x"], "--corruption flip_sign_top_k:x"),
        (["--max-tokens", "7"], "max_tokens differs"),
        (["--model", "other"], "model: name one of demo"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    capsys: pytest.CaptureFixture[str],
    measured: tuple[Path, list[object]],
    change: list[str],
    problem: str,
) -> None:
    assert evaluate(*measured[1], *change) == 2
    assert problem in capsys.readouterr().err


def test_a_reference_is_needed(
    capsys: pytest.CaptureFixture[str],
    measured: tuple[Path, list[object]],
) -> None:
    arguments = list(measured[1])
    at = arguments.index("--retain")
    assert evaluate(*arguments[:at], *arguments[at + 2 :]) == 2
    assert "give the retain model" in capsys.readouterr().err
