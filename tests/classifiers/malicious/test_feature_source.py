"""The encoder that training opens is the one that serving would, and tells its layers."""

from pathlib import Path

import pytest

from classifiers.malicious.data.training_set import Block
from classifiers.malicious.feature_source import blocks_of, open_encoder
from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.encoders.onnx_encoder import KIND
from guard.terms.errors import ArtifactError, ConfigError
from tests.encoders import tiny_artifact


def test_it_is_the_encoder_in_the_folder() -> None:
    encoder = open_encoder(tiny_artifact())
    assert encoder.digest == read(tiny_artifact()).manifest.digest
    assert blocks_of(tiny_artifact(), encoder.width) == ()


def test_layers_have_their_columns(tmp_path: Path) -> None:
    write(tmp_path / "a", draft(KIND, "x", recipe={"blocks": ["6:mean", "3:max"]}))
    assert blocks_of(tmp_path / "a", 8) == (Block("6:mean", 0, 4), Block("3:max", 4, 8))
    with pytest.raises(ConfigError, match="2 of equal width cannot fill 9 columns"):
        blocks_of(tmp_path / "a", 9)


def test_an_encoder_that_runs_here_takes_no_url() -> None:
    with pytest.raises(ArtifactError, match=r"takes no encoder\.url"):
        open_encoder(tiny_artifact(), "http://127.0.0.1:1")
