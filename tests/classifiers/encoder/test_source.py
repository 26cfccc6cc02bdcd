"""Where encoders come from: the package, folders, and the hub's cache without a network."""

import json
import shutil
from pathlib import Path

import huggingface_hub.constants
import pytest

from classifiers.encoder.export import export_encoder
from classifiers.encoder.source import DEFAULT_PACKAGE, default_source, find_source
from guard.artifacts.folder import read
from guard.terms.errors import ConfigError
from tests.encoders import tiny_artifact, tiny_bert

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds `someone/tiny`, and no network."""
    home = tmp_path / "models--someone--tiny"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    shutil.copytree(tiny_bert(), home / "snapshots" / COMMIT)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_the_default_source_is_the_packaged_minilm() -> None:
    assert find_source(None) == default_source()
    assert default_source().name == "model"
    assert default_source().parent.name == DEFAULT_PACKAGE
    assert json.loads((default_source() / "config.json").read_text())["hidden_size"] == 384


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["someone/tiny", f"someone/tiny@{COMMIT}", "someone/tiny@main"])
def test_a_name_is_found_in_the_cache(name: str) -> None:
    assert (find_source(name) / "config.json").read_bytes() == (
        tiny_bert() / "config.json"
    ).read_bytes()


def test_an_export_by_name_is_that_of_the_folder(cache: Path) -> None:
    artifact = export_encoder(cache / "out", source="someone/tiny", max_tokens=64)
    assert artifact.manifest.name == "someone/tiny"
    assert artifact.manifest.digest == read(tiny_artifact()).manifest.digest


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["someone/else", "someone/tiny@v2"])
def test_what_cannot_be_had_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^source: {name} is no folder, .* could not be fetch"):
        find_source(name)


def test_folders_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_source(tmp_path / "gone") == tmp_path / "gone"
    (tmp_path / "own" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert find_source("own/model") == Path("own/model")
