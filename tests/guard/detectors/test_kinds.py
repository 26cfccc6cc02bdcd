"""Loading: the right class by kind, and only for the encoder it was trained on."""

from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import get_args

import numpy as np
import pytest

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.detectors.forget.detector import ForgetClassifier
from guard.detectors.forget.request_folder import RequestFolder
from guard.detectors.kinds import (
    VersionsInService,
    load_detector,
    load_detectors,
    read_digests,
)
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.detectors.names.phrases import PhraseList
from guard.encoders.kinds import load_encoder
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.encoders.pooling_encoder import PoolingEncoder
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.settings import DetectorSection, DetectorSource, EncoderSource, Settings
from guard.terms.errors import ArtifactError, ConfigError
from guard.terms.item import Item
from guard.terms.verdict import Action
from tests.encoders import WordEncoder, tiny_artifact
from tests.pooling import WIDTH, pooling_server, write_pooling_artifact
from tests.text_detectors import write_word_detector


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
    detector = load_detector(folder, encoder)
    assert isinstance(detector, ForgetClassifier)
    assert detector.version == read(folder).manifest.digest


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


def test_digests_name_what_is_in_service(tmp_path: Path) -> None:
    folder = write_forget(tmp_path / "a", "a" * 64)
    phrases = {"kind": "phrases", "phrases": ["secret"]}
    artifact = {"kind": "artifact", "path": str(folder)}

    digests = read_digests(_settings({"phrases": phrases, "person": artifact}))

    assert digests.keys() == {"person", "@encoder"}
    assert digests["person"] == read(folder).manifest.digest


def test_a_folder_of_requests_is_one_detector(tmp_path: Path) -> None:
    loaded, _ = load_detectors(_settings({}))
    assert loaded is not None
    for name in ("a", "b"):
        write_forget(tmp_path / "requests" / name, loaded.digest, loaded.width)
    source: dict[str, object] = {"kind": "forget-requests", "path": str(tmp_path / "requests")}
    encoder, detectors = load_detectors(_settings({"people": source}))
    assert encoder is not None
    people = detectors["people"]
    assert isinstance(people, RequestFolder)
    assert len(people.current().requests) == 2
    versions = VersionsInService({"@encoder": encoder.digest}, detectors)
    before = dict(versions)
    assert before.keys() == {"people", "@encoder"}
    assert len(versions) == 2
    write_forget(tmp_path / "requests" / "c", loaded.digest, loaded.width)
    people.refresh()
    assert versions["people"] != before["people"]
    people.close()


def test_requests_need_an_encoder(tmp_path: Path) -> None:
    source = {"kind": "forget-requests", "path": str(tmp_path)}
    settings = {"upstream": {"url": "http://127.0.0.1:8000"}, "detectors": {"people": source}}
    with pytest.raises(ConfigError, match=r"people.path: forget requests need an `encoder`"):
        load_detectors(Settings.model_validate(settings))


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


def test_models_that_run_here_have_the_threads_that_they_are_given(tmp_path: Path) -> None:
    write_word_detector(tmp_path / "words", ("build", "machine"), needed=2)
    words = {"kind": "artifact", "path": str(tmp_path / "words")}
    encoder, detectors = load_detectors(_settings({"words": words}), threads=3)
    detector = detectors["words"]
    assert isinstance(encoder, OnnxEncoder)
    assert isinstance(detector, MaliciousTextClassifier)
    for model in (encoder, detector._tower):
        assert model._threads == 3


def test_no_encoder_is_loaded_when_none_is_named() -> None:
    settings = Settings.model_validate({"upstream": {"url": "http://127.0.0.1:8000"}})
    assert load_detectors(settings) == (None, {})


def _settings(detectors: dict[str, object], encoder: dict[str, object] | None = None) -> Settings:
    return Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:8000"},
            "encoder": encoder or {"path": str(tiny_artifact())},
            "detectors": detectors,
        }
    )


def test_a_pooling_encoder_is_asked_at_the_settings_address(tmp_path: Path) -> None:
    write_pooling_artifact(tmp_path / "pooling")
    folder = write_forget(tmp_path / "a", read(tmp_path / "pooling").manifest.digest, WIDTH)
    detectors: dict[str, object] = {"person": {"kind": "artifact", "path": str(folder)}}
    with pooling_server() as server:
        source: dict[str, object] = {"path": str(tmp_path / "pooling"), "url": server.url}
        encoder, loaded = load_detectors(_settings(detectors, source))
        assert isinstance(encoder, PoolingEncoder)
        assert server.requests == []
        scores = loaded["person"].score(["who"], encoder.encode(["who"]))
        assert scores.shape == (1,)
        assert "authorization" not in server.headers[0]
        encoder.close()


def test_an_endpoints_key_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pooling_artifact(tmp_path / "pooling")
    with pooling_server() as server:
        source = EncoderSource(
            path=tmp_path / "pooling", url=server.url, api_key_env="ECOGUARD_TEST_POOLING_KEY"
        )
        with pytest.raises(ConfigError, match="ECOGUARD_TEST_POOLING_KEY is not set"):
            load_encoder(source)
        monkeypatch.setenv("ECOGUARD_TEST_POOLING_KEY", "sesame")
        encoder = load_encoder(source)
        assert isinstance(encoder, PoolingEncoder)
        encoder.encode(["who"])
        assert server.headers[0]["authorization"] == "Bearer sesame"
        encoder.close()


def test_encoders_and_addresses_must_fit(tmp_path: Path) -> None:
    write_pooling_artifact(tmp_path / "pooling")
    with pytest.raises(ArtifactError, match=r"kind: a pooling encoder needs .* encoder.url"):
        load_encoder(EncoderSource(path=tmp_path / "pooling"))
    elsewhere = EncoderSource(path=tmp_path / "pooling", url="http://127.0.0.1:1", device="cuda")
    with pytest.raises(ArtifactError, match=r"behind a server takes no encoder\.device"):
        load_encoder(elsewhere)
    with pytest.raises(ArtifactError, match="an encoder that runs here takes no enc"):
        load_encoder(EncoderSource(path=tiny_artifact(), url="http://127.0.0.1:1"))
    write(tmp_path / "other", draft("forget", "x"))
    with pytest.raises(ArtifactError, match="expected 'encoder' or 'pooling-encoder', found 'for"):
        load_encoder(EncoderSource(path=tmp_path / "other"))


async def test_without_its_endpoint_on_error_decides(tmp_path: Path) -> None:
    """The server is gone: the policy fails as the operator chose, and nothing hangs or raises."""
    write_pooling_artifact(tmp_path / "pooling")
    with pooling_server() as server:
        url = server.url
    encoder = load_encoder(EncoderSource(path=tmp_path / "pooling", url=url, timeout_s=2))
    folder = write_forget(tmp_path / "a", encoder.digest, WIDTH)
    detector = load_detector(folder, encoder)
    policy = Policy("stop", "person", detector, 0.5, Action.CORRUPT, Action.BLOCK)
    screener = Screener([policy], encoder, Metrics())
    verdict = await screener.screen([Item(("messages", 0, "content"), "user", "who is it")])
    screener.close()
    assert verdict.action is Action.BLOCK
    assert verdict.findings[0].failed


@pytest.mark.parametrize("section", get_args(get_args(DetectorSource)[0]))
def test_every_kind_of_section_names_its_loader(section: type[DetectorSection]) -> None:
    assert list(signature(resolve_name(section.loader)).parameters) == ["source", "context"]
