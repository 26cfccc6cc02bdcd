"""The encoder that training opens is the one that serving would."""

import pytest

from classifiers.malicious.feature_source import open_encoder
from guard.artifacts.folder import read
from guard.terms.errors import ArtifactError
from tests.encoders import tiny_artifact


def test_it_is_the_encoder_in_the_folder() -> None:
    encoder = open_encoder(tiny_artifact())
    assert encoder.digest == read(tiny_artifact()).manifest.digest


def test_an_encoder_that_runs_here_takes_no_url() -> None:
    with pytest.raises(ArtifactError, match=r"takes no encoder\.url"):
        open_encoder(tiny_artifact(), "http://127.0.0.1:1")
