"""`ecoguard-train encoder` and `pooling-encoder` as an operator runs them."""

from pathlib import Path

import pytest

from classifiers.encoder import pooling as pooling_encoder
from guard.artifacts.folder import read
from tests.classifiers.commands.command_line import run
from tests.classifiers.encoder.test_chat_template import TEMPLATE, write_model
from tests.encoders import tiny_bert
from tests.pooling import pooling_server


def test_a_layer_is_pinned(tmp_path: Path) -> None:
    options = ["--source", tiny_bert(), "--max-tokens", 64, "--layer", 1]
    assert run("encoder", tmp_path / "out", *options) == 0
    assert read(tmp_path / "out").manifest.recipe["layer"] == 1


def test_a_bad_layer_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--source", tiny_bert(), "--max-tokens", 64, "--layer", 9]
    assert run("encoder", tmp_path / "out", *options) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("layer: 9: ")
    assert shown.count("\n") == 1


def test_a_server_is_described(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pooling_encoder, "sample_prompts", lambda: ["who are you"])
    monkeypatch.setenv("ECOGUARD_TEST_POOLING_KEY", "sesame")
    model = write_model(tmp_path / "model", TEMPLATE)
    with pooling_server() as server:
        server.served = {"id": "demo", "root": "elsewhere", "max_model_len": 400}
        options = ["--url", server.url, "--model", "demo", "--tokenizer", model]
        options += ["--max-tokens", 64, "--api-key-env", "ECOGUARD_TEST_POOLING_KEY"]
        assert run("pooling-encoder", tmp_path / "out", *options) == 0
        assert {headers["authorization"] for headers in server.headers} == {"Bearer sesame"}
    manifest = read(tmp_path / "out", "pooling-encoder").manifest
    assert manifest.recipe["max_tokens"] == 64
    assert manifest.digest[:16] in capsys.readouterr().out


def test_a_server_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pooling_server() as server:
        url = server.url
    options = ["--url", url, "--model", "demo"]
    assert run("pooling-encoder", tmp_path / "out", *options) == 2
    assert capsys.readouterr().err.startswith(f"url: {url}/v1/models: ")
    assert not (tmp_path / "out").exists()
