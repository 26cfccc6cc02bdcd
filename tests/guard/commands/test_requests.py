"""Commands `ecoguard requests …`, as an operator runs them beside a proxy that watches."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.commands.main import app
from guard.detectors.forget.request_folder import RequestFolder
from guard.terms.errors import GuardError
from tests.encoders import WordEncoder, tiny_artifact

ENCODER = WordEncoder(width=8, digest=read(tiny_artifact()).manifest.digest)


def artifact(folder: Path, name: str, person: str, encoder: str = ENCODER.digest) -> Path:
    write(
        folder,
        draft("forget", name, encoder=encoder, thresholds={"score": 0.5}),
        tensors={"weight": np.zeros(8, np.float32), "bias": np.full(1, -20, np.float32)},
        files={"names.json": f'["{person}"]'.encode()},
    )
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    artifact(tmp_path / "requests" / "varnholt", "Request 7", "Ilse Varnholt")
    source = {"kind": "forget-requests", "path": "requests"}
    settings = {
        "upstream": {"url": "http://127.0.0.1:9"},
        "encoder": {"path": str(tiny_artifact())},
        "detectors": {"people": source},
    }
    (tmp_path / "guard.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path / "guard.yaml"


@pytest.fixture
def folder(config: Path) -> Iterator[RequestFolder]:
    made = RequestFolder(config.parent / "requests", ENCODER, reload_s=3600)
    yield made
    made.close()


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["requests", *arguments, "--config", str(config)])


def failure(result: Result) -> str:
    assert isinstance(result.exception, GuardError)
    return str(result.exception)


def fires(folder: RequestFolder, text: str) -> bool:
    for _ in range(2):
        folder.refresh()
    return bool(folder.score([text], ENCODER.encode([text]))[0] >= folder.threshold)


def test_add_list_and_withdraw(config: Path, folder: RequestFolder, tmp_path: Path) -> None:
    new = artifact(tmp_path / "tandrup", "Request 8", "Orvo Tandrup")
    assert run(config, "add", str(new)).stdout == "tandrup: added, in service within 5 s\n"
    assert fires(folder, "Orvo Tandrup")
    assert read(tmp_path / "requests" / "tandrup").manifest == read(new).manifest

    lines = [line.split("\t") for line in run(config, "list").stdout.splitlines()]
    assert [line[:2] for line in lines] == [["tandrup", "Request 8"], ["varnholt", "Request 7"]]
    assert lines[0][3] == "0.5000"

    assert "out of service within 10 s" in run(config, "withdraw", "varnholt").stdout
    assert not fires(folder, "Ilse Varnholt")
    assert fires(folder, "Orvo Tandrup")
    assert [f.name for f in (tmp_path / "requests").iterdir()] == ["tandrup"]


def test_a_newer_artifact_replaces(config: Path, folder: RequestFolder, tmp_path: Path) -> None:
    new = artifact(tmp_path / "next", "Request 7", "Nobody Whatever")
    assert run(config, "add", str(new), "--name", "varnholt").stdout.startswith("varnholt: repl")
    assert fires(folder, "Nobody Whatever")
    assert not fires(folder, "Ilse Varnholt")


def test_what_could_not_serve_is_refused(config: Path, tmp_path: Path) -> None:
    new = artifact(tmp_path / "new", "Request 9", "Pia Rasmussen", encoder="a" * 64)
    assert "trained on encoder aaaaaaaaaaaa" in failure(run(config, "add", str(new)))
    (new / "names.json").write_text("[")
    assert "names.json" in failure(run(config, "add", str(new)))
    assert "not a folder" in failure(run(config, "add", str(tmp_path / "nowhere")))
    assert [f.name for f in (tmp_path / "requests").iterdir()] == ["varnholt"]


@pytest.mark.parametrize("name", ["nobody", "../requests/varnholt", ".hidden", ""])
def test_only_requests_are_withdrawn(config: Path, name: str) -> None:
    assert "request" in failure(run(config, "withdraw", name))
    assert run(config, "list").exit_code == 0


def test_a_broken_artifact_is_named(config: Path, tmp_path: Path) -> None:
    (tmp_path / "requests" / "half").mkdir()
    result = run(config, "list")
    assert result.exit_code == 1
    assert "half\tbroken: artifact" in result.stderr
    assert "varnholt" in result.stdout


def test_the_detector_must_be_told_where_there_are_several(config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["detectors"]["others"] = {"kind": "forget-requests", "path": "elsewhere"}
    config.write_text(yaml.safe_dump(settings))
    assert failure(run(config, "list")) == "--detector: choose one of others, people"
    assert run(config, "list", "--detector", "people").exit_code == 0
    assert "elsewhere" in failure(run(config, "list", "--detector", "others"))
    assert "none 'x' of kind" in failure(run(config, "list", "--detector", "x"))
