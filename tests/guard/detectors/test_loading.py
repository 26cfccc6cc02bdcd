"""Loading: the right class by kind, and only for the encoder it was trained on."""

from pathlib import Path

import numpy as np
import pytest

from guard.artifacts import write
from guard.detectors.forget import ForgetClassifier
from guard.detectors.loading import load_detector, load_detectors
from guard.detectors.phrases import PhraseList
from guard.errors import ArtifactError
from guard.manifest import draft
from guard.settings import Settings
from tests.encoders import WordEncoder, tiny_artifact


def write_forget(folder: Path, encoder: str, width: int = 4) -> Path:
    write(
        folder,
        draft("forget", "sample", encoder=encoder, thresholds={"score": 0.5}),
        tensors={
            "weight": np.ones(width, dtype=np.float32),
            "bias": np.zeros(1, dtype=np.float32),
        },
        files={"names.json": b"[]"},
    )
    return folder


def test_kind_decides_the_class(tmp_path: Path) -> None:
    encoder = WordEncoder()
    folder = write_forget(tmp_path / "a", encoder.digest)
    assert isinstance(load_detector(folder, encoder), ForgetClassifier)


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    folder = write_forget(tmp_path / "a", "a" * 64)
    with pytest.raises(ArtifactError, match=r"encoder: trained on encoder aaaaaaaaaaaa, in ser"):
        load_detector(folder, WordEncoder())


def test_a_missing_encoder_is_refused(tmp_path: Path) -> None:
    folder = write_forget(tmp_path / "a", "a" * 64)
    with pytest.raises(ArtifactError, match="needs an encoder and none is configured"):
        load_detector(folder, None)


def test_what_is_no_detector_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", draft("corruption", "sample"))
    with pytest.raises(ArtifactError, match="kind: 'corruption' is no detector"):
        load_detector(tmp_path / "a", None)


def test_settings_give_encoder_and_detectors(tmp_path: Path) -> None:
    loaded, _ = load_detectors(_settings({}))
    assert loaded is not None
    folder = write_forget(tmp_path / "a", loaded.digest, loaded.width)
    encoder, detectors = load_detectors(
        _settings(
            {
                "phrases": {"kind": "phrases", "phrases": ["secret"]},
                "person": {"kind": "artifact", "path": str(folder)},
            }
        )
    )
    assert encoder is not None
    assert isinstance(detectors["phrases"], PhraseList)
    scores = detectors["person"].score(["who"], encoder.encode(["who"]))
    assert scores.shape == (1,)


def test_no_encoder_is_loaded_when_none_is_named() -> None:
    settings = Settings.model_validate({"upstream": {"url": "http://127.0.0.1:8000"}})
    assert load_detectors(settings) == (None, {})


def _settings(detectors: dict[str, object]) -> Settings:
    return Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:8000"},
            "encoder": {"path": str(tiny_artifact())},
            "detectors": detectors,
        }
    )
