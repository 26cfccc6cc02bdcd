"""Texts as the model's tokens, vectors as unit features, and a server that has become another."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.artifacts.folder import read
from guard.encoders import pooling_encoder
from guard.encoders.pooling_encoder import PoolingEncoder
from guard.terms.errors import ArtifactError, DetectorError
from tests.pooling import (
    PREFIX,
    PROBE_TEXTS,
    SUFFIX,
    WIDTH,
    PooledIds,
    byte_tokenizer,
    pooling_server,
    vector_of,
    write_pooling_artifact,
)

TEXTS = ["what is it", "", "é😀漢", "a bridge " * 40]


def make(folder: Path, endpoint: PooledIds | None = None, **recipe: object) -> PoolingEncoder:
    return PoolingEncoder(write_pooling_artifact(folder / "e", **recipe), endpoint or PooledIds())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> PoolingEncoder:
    return make(tmp_path_factory.mktemp("pooling"))


def test_features_are_the_endpoints_vectors_of_unit_length(encoder: PoolingEncoder) -> None:
    features = encoder.encode(TEXTS)
    assert features.shape == (len(TEXTS), encoder.width)
    assert features.dtype == np.float32
    for text, row in zip(TEXTS, features, strict=True):
        vector = vector_of(encoder.token_ids(text))
        np.testing.assert_allclose(row, vector / np.linalg.norm(vector), atol=1e-6)
    assert encoder.encode([]).shape == (0, WIDTH)


def test_a_text_is_a_users_turn(encoder: PoolingEncoder) -> None:
    ids = encoder.token_ids("what is it")
    assert ids == byte_tokenizer().encode(PREFIX + "what is it" + SUFFIX).ids


def test_a_long_text_keeps_the_templates_end(encoder: PoolingEncoder) -> None:
    tokenizer = byte_tokenizer()
    ids = encoder.token_ids("a bridge " * 40)
    assert len(ids) == encoder.max_tokens
    assert ids[-2:] == tokenizer.encode(SUFFIX).ids
    assert ids[0] == tokenizer.token_to_id(PREFIX)
    assert ids[1:-2] == tokenizer.encode("a bridge " * 40).ids[: encoder.max_tokens - 3]


@settings(deadline=None, max_examples=60)
@given(text=st.text("abc é😀漢.\n", max_size=200))
def test_windows_fit_the_model_whole(encoder: PoolingEncoder, text: str) -> None:
    size = encoder.window_tokens
    windows = encoder.windows(text, size, size * 3 // 4)
    assert windows[0][0] == 0
    assert windows[-1][1] == len(text)
    whole = byte_tokenizer()
    for start, end in windows:
        ids = whole.encode(PREFIX + text[start:end] + SUFFIX).ids
        assert encoder.token_ids(text[start:end]) == ids


def test_the_probes_are_asked_first_and_not_each_time(tmp_path: Path) -> None:
    endpoint = PooledIds()
    encoder = make(tmp_path, endpoint)
    assert endpoint.prompts == []
    encoder.encode(["one"])
    encoder.encode(["two"])
    asked = [encoder.token_ids(text) for text in (*PROBE_TEXTS, "one", "two")]
    assert endpoint.prompts == asked


def test_the_probes_are_asked_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(pooling_encoder, "monotonic", lambda: now[0])
    endpoint = PooledIds()
    encoder = make(tmp_path, endpoint)
    encoder.encode(["one"])
    now[0] += pooling_encoder.TRUST_S + 1
    encoder.encode(["two"])
    assert len(endpoint.prompts) == 2 * len(PROBE_TEXTS) + 2


class OtherModel(PooledIds):
    """Serves other vectors from the third call on."""

    calls = 0

    def vectors(self, prompts):  # type: ignore[no-untyped-def]
        self.calls += 1
        found = super().vectors(prompts)
        return found if self.calls < 3 else found[:, ::-1]


def test_another_model_is_refused_after_a_failure(tmp_path: Path) -> None:
    endpoint = OtherModel()
    encoder = make(tmp_path, endpoint)
    encoder.encode(["one"])
    encoder._trusted_until = 0.0
    for _ in range(2):
        with pytest.raises(DetectorError, match="another model or pooling"):
            encoder.encode(["two"])


def test_a_failure_ends_the_trust(tmp_path: Path) -> None:
    encoder = make(tmp_path, PooledIds())
    encoder.encode(["one"])
    endpoint = PooledIds(width=3)
    encoder._endpoint = endpoint
    with pytest.raises(DetectorError, match="width 3, not 8"):
        encoder.encode(["two"])
    encoder._endpoint = PooledIds()
    encoder.encode(["three"])
    assert len(encoder._endpoint.prompts) == len(PROBE_TEXTS) + 1


class Zeros(PooledIds):
    """Vectors without a direction."""

    def vectors(self, prompts):  # type: ignore[no-untyped-def]
        return super().vectors(prompts) * 0


def test_vectors_of_zeros_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="a vector of zeros"):
        make(tmp_path, Zeros()).encode(["one"])


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"width": "8"}, "recipe.width: expected int"),
        ({"width": 9}, r"tensors.probes: expected float32 of shape \(2, 9\)"),
        ({"probes": []}, "recipe.probes: expected a list of texts"),
        ({"probes": ["one"]}, r"tensors.probes: .* shape \(1, 8\)"),
        ({"probes": [1, 2]}, "recipe.probes: expected a list of texts"),
        ({"max_tokens": 4}, "recipe.max_tokens: the template alone is longer"),
        ({"prefix": None}, "recipe.prefix: expected str"),
    ],
)
def test_unusable_recipes_are_named(
    tmp_path: Path, recipe: dict[str, object], message: str
) -> None:
    with pytest.raises(ArtifactError, match=message):
        make(tmp_path, None, **recipe)


def test_the_artifact_holds_no_address(tmp_path: Path) -> None:
    """Nor does a server's address change the digest that detectors are pinned to."""
    artifact = write_pooling_artifact(tmp_path / "e")
    with pooling_server() as server:
        encoder = PoolingEncoder.connect(artifact, server.url)
        plain = PoolingEncoder(read(tmp_path / "e"), PooledIds())
        np.testing.assert_allclose(encoder.encode(TEXTS), plain.encode(TEXTS), atol=1e-6)
        assert encoder.digest == plain.digest
        encoder.close()
