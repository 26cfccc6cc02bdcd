"""`ecoguard-train malicious` as an operator runs it: a recipe, options, errors, a refusing gate."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.fernet import Fernet

from classifiers.commands.main import app
from classifiers.prompts.labelled import LabelledPrompt
from guard.artifacts.folder import read
from guard.artifacts.manifest import PAGE
from guard.detectors.kinds import load_detector
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.settings import Store
from guard.store.traffic_store import TrafficStore
from tests.classifiers.commands.command_line import run
from tests.classifiers.malicious.prompts import attacks, requests
from tests.encoders import tiny_artifact
from tests.guard.store.records import prompt_record


def written(file: Path, prompts: Sequence[LabelledPrompt]) -> Path:
    rows = [{"text": p.text, "label": p.label, "source": p.source} for p in prompts]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe file beside the sets that it names."""
    written(tmp_path / "labelled.jsonl", [*requests(100, 5, "benign"), *attacks(60, 6)])
    written(tmp_path / "validation.jsonl", [*requests(60, 7, "benign"), *attacks(60, 8)])
    lines = [
        "mode: supervised",
        f"labelled: [{tmp_path / 'labelled.jsonl'}]",
        f"validation: [{tmp_path / 'validation.jsonl'}]",
        f"encoder: {tiny_artifact()}",
        f"cache: {tmp_path / 'cache'}",
        "fpr: 0.3",
        "generated: false",
        "scan_evaluations: 200",
    ]
    file = tmp_path / "recipe.yaml"
    file.write_text("\n".join(lines))
    return file


def test_a_recipe_makes_what_serves_and_the_gate_guards_it(
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert run("malicious", "--config", recipe, "--out", out, "--fpr", 0.1) == 0
    manifest = read(out, "malicious").manifest
    assert manifest.recipe["fpr"] == 0.1
    assert manifest.digest[:16] in capsys.readouterr().out
    assert (out / PAGE).read_text().startswith("<!doctype html>")
    load_detector(out, OnnxEncoder.load(tiny_artifact()))

    # So few prompts cannot prove that the next one is no worse.
    options = ["--in-service", out, "--fpr", 0.02]
    assert run("malicious", "--config", recipe, "--out", out, *options) == 1
    refused = capsys.readouterr().err
    assert "\nrefused: " in refused
    assert f"{out} is unchanged" in refused
    assert json.loads((tmp_path / "out.refused.json").read_text())["passed"] is False
    assert read(out).manifest == manifest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("colour: red", ": colour: no such key"),
        ("mode: svd", "unlabelled: mode `svd` needs it"),
        ("labelled: [gone.jsonl]", "gone.jsonl: No such file"),
        ("encoder: null", "encoder: mode `supervised` needs it"),
    ],
)
def test_bad_input_is_one_line_and_status_two(
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    line: str,
    message: str,
) -> None:
    key = line.partition(":")[0]
    kept = [old for old in recipe.read_text().splitlines() if not old.startswith(f"{key}:")]
    recipe.write_text("\n".join([*kept, line]))
    assert run("malicious", "--config", recipe, "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_stores_url_is_a_source(
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"sqlite:///{tmp_path / 'missing' / 'traffic.db'}"
    options = ["--config", recipe, "--out", tmp_path / "out", "--unlabelled", f"store:{url}"]
    assert run("malicious", *options, "--mode", "svd") == 2
    assert "missing/traffic.db" in capsys.readouterr().err


def test_an_encrypted_store_is_read_with_its_key(
    monkeypatch: pytest.MonkeyPatch,
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"sqlite:///{tmp_path / 'traffic.db'}"
    monkeypatch.setenv("PROMPT_KEYS", Fernet.generate_key().decode())
    capture = {"encryption_key_env": "PROMPT_KEYS"}
    store = TrafficStore(Store.model_validate({"url": url, "capture": capture}))
    store.upgrade()
    store.write(store.prepare([prompt_record("one thing"), prompt_record("another matter")]))
    store.close()
    options = ["--config", recipe, "--out", tmp_path / "out", "--unlabelled", f"store:{url}"]
    assert run("malicious", *options) == 2
    assert "prompts are encrypted" in capsys.readouterr().err
    recipe.write_text(f"{recipe.read_text()}\nstore_key_env: PROMPT_KEYS\n")
    assert run("malicious", *options) == 0
    assert read(tmp_path / "out").manifest.data["unlabelled"].rows == 2


def test_the_command_has_at_most_twelve_options() -> None:
    """What is set once for a deployment stands in its recipe."""
    program: Any = typer.main.get_command(app)
    options = [each.opts[0] for each in program.commands["malicious"].params]
    assert len(options) <= 12, options
