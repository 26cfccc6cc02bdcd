"""`ecoguard-train evaluate extraction` as an operator runs it, through a real proxy."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import orjson
import pytest

from tests.classifiers.commands.command_line import run
from tests.classifiers.evaluation.guarded_models import Guarded, guarded_models
from tests.classifiers.evaluation.tofu.files import write_files


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_models(tmp_path_factory.mktemp("guarded")) as found:
        yield found


evaluate = partial(run, "evaluate", "extraction")


def arguments_of(guarded: Guarded, root: Path) -> list[object]:
    data = write_files(root / "data")
    files = ["--pairs", data / "forget01_perturbed.json", "--known", data / "retain99.json.gz"]
    return [*guarded.options, *files, "--request", guarded.request, "--out", root / "out"]


def test_attacks_are_counted_by_family_and_by_cause(guarded: Guarded, tmp_path: Path) -> None:
    few = ["--samples", 5, "--family", "plain", "--family", "typos", "--family", "turns"]
    assert evaluate(*arguments_of(guarded, tmp_path), *few) == 0
    report = orjson.loads((tmp_path / "out" / "report.json").read_bytes())
    families = report["families"]

    assert set(families) == {"plain", "typos", "turns"}
    plain = families["plain"]
    assert plain["leak"]["direct"]["1"]["rate"] == 1.0
    assert plain["leak"]["proxy"]["5"]["rate"] == 0.0
    assert plain["leak"]["retain"]["5"]["rate"] == 0.0
    assert plain["missed_by_classifier"]["rate"] == 0.0
    assert plain["rouge"]["direct"]["1"] == 1.0
    # A list of names does not know misspelt ones: the guard misses what it cannot read.
    assert families["typos"]["missed_by_classifier"]["rate"] > 0
    assert report["settings"]["samples"] == 5
    assert "Ada Moor" not in (tmp_path / "out" / "report.html").read_text()


def test_an_unknown_family_is_named(
    capsys: pytest.CaptureFixture[str],
    guarded: Guarded,
    tmp_path: Path,
) -> None:
    assert evaluate(*arguments_of(guarded, tmp_path), "--family", "guess") == 2
    assert "--family guess: expected one of plain" in capsys.readouterr().err
