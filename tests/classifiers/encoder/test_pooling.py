"""The artifact of a server's pooled model: what it holds, and servers that cannot be it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder import pooling as pooling_encoder
from classifiers.encoder.pooling import PROBE_TEXTS, Pooling, export_pooling_encoder
from guard.artifacts.folder import Artifact
from guard.artifacts.manifest import MANIFEST, REPORT
from guard.encoders.pooling_encoder import PoolingEncoder
from guard.terms.errors import ConfigError, DetectorError
from tests.classifiers.encoder.test_chat_template import TEMPLATE, write_model
from tests.pooling import PREFIX, SUFFIX, WIDTH, PoolingServer, byte_tokenizer, pooling_server


def turn_tokens(text: str) -> list[int]:
    return list(byte_tokenizer().encode(PREFIX + text + SUFFIX).ids)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", TEMPLATE)


@pytest.fixture
def server(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PoolingServer]:
    """A server of the model that tells its tokens; few prompts are timed."""
    monkeypatch.setattr(pooling_encoder, "sample_prompts", lambda: ["who are you", "hi there"])
    with pooling_server() as running:
        running.served = {"id": "demo", "root": str(model), "max_model_len": 400}
        running.turn_tokens = turn_tokens
        yield running


def export(server: PoolingServer, folder: Path, pooling: Pooling = "last") -> Artifact:
    return export_pooling_encoder(folder / "out", url=server.url, model="demo", pooling=pooling)


def test_the_artifact_serves(server: PoolingServer, tmp_path: Path) -> None:
    artifact = export(server, tmp_path)
    recipe = artifact.manifest.recipe
    assert recipe["width"] == WIDTH
    assert recipe["max_tokens"] == 400
    assert (recipe["prefix"], recipe["suffix"]) == (PREFIX, SUFFIX)
    assert recipe["pooling"] == "last"
    report = json.loads(artifact.bytes_of(REPORT))
    assert report["prompts_per_second"] > 0
    assert report["cosine_between_batches"] < 1e-6
    encoder = PoolingEncoder.connect(artifact, server.url)
    assert encoder.encode(["who is it"]).shape == (1, WIDTH)
    assert encoder.token_ids("who is it") == turn_tokens("who is it")
    encoder.close()


def test_no_address_and_no_key_is_kept(server: PoolingServer, tmp_path: Path) -> None:
    artifact = export_pooling_encoder(
        tmp_path / "out", url=f"{server.url}/", model="demo", api_key="sesame"
    )
    assert {headers["authorization"] for headers in server.headers} == {"Bearer sesame"}
    content = b"".join(artifact.contents.values()) + (tmp_path / "out" / MANIFEST).read_bytes()
    assert b"127.0.0.1" not in content
    assert b"sesame" not in content


def test_the_same_server_is_not_described_twice(server: PoolingServer, tmp_path: Path) -> None:
    first = export(server, tmp_path)
    before = (tmp_path / "out" / MANIFEST).stat().st_mtime_ns
    assert export(server, tmp_path).manifest.digest == first.manifest.digest
    assert (tmp_path / "out" / MANIFEST).stat().st_mtime_ns == before


def test_other_weights_are_another_encoder(server: PoolingServer, tmp_path: Path) -> None:
    first = export(server, tmp_path)
    server.vector_of = _other_vector
    assert export(server, tmp_path).manifest.digest != first.manifest.digest


def _other_vector(ids: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.random.default_rng([9, *ids]).standard_normal(WIDTH).astype(np.float32)


def test_a_server_that_pools_the_first_tokens_is_not_last(
    server: PoolingServer, tmp_path: Path
) -> None:
    server.shift = 2
    with pytest.raises(ConfigError, match=r"pooling: the features hardly depend on the last"):
        export(server, tmp_path)
    assert export(server, tmp_path, "cls").manifest.recipe["pooling"] == "cls"


def test_another_tokenizer_than_the_servers_is_refused(
    server: PoolingServer, tmp_path: Path
) -> None:
    server.turn_tokens = lambda text: turn_tokens(f"{text}!")
    with pytest.raises(ConfigError, match="tokenizer: the server makes other tokens"):
        export(server, tmp_path)


def test_a_server_may_keep_its_tokens_to_itself(server: PoolingServer, tmp_path: Path) -> None:
    server.turn_tokens = None
    assert export(server, tmp_path).manifest.recipe["probes"] == list(PROBE_TEXTS)


def test_a_plain_model_gets_plain_text(server: PoolingServer, tmp_path: Path) -> None:
    server.turn_tokens = None
    plain = write_model(tmp_path / "plain", None)
    artifact = export_pooling_encoder(
        tmp_path / "out", url=server.url, model="demo", tokenizer=str(plain), max_tokens=32
    )
    assert artifact.manifest.recipe["prefix"] == ""
    encoder = PoolingEncoder.connect(artifact, server.url)
    assert encoder.token_ids("hi") == byte_tokenizer().encode("hi").ids
    assert len(encoder.token_ids("hi" * 99)) == 32
    encoder.close()


@pytest.mark.parametrize(
    ("served", "message"),
    [
        ({"id": "other", "max_model_len": 9}, r"model: http.* serves no demo \(but: other\)"),
        ({"id": "demo"}, "does not say max_model_len"),
        ({"id": "demo", "max_model_len": 99, "root": "gone"}, "tokenizer: gone is neither a fol"),
        ({"id": "demo", "max_model_len": 99, "root": "."}, "tokenizer.json: No such file"),
    ],
)
def test_servers_that_cannot_be_used_are_named(
    server: PoolingServer, tmp_path: Path, served: dict[str, object], message: str
) -> None:
    server.served = served
    with pytest.raises(ConfigError, match=message):
        export(server, tmp_path)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, b"", "v1/models: status 401"),
        (200, b"<html>", "status 200: not JSON"),
        (200, b"[1]", "status 200: not a JSON object"),
    ],
)
def test_what_is_no_server_of_models_is_named(
    server: PoolingServer, tmp_path: Path, status: int, body: bytes, message: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(ConfigError, match=message):
        export(server, tmp_path)


def test_longer_inputs_than_the_servers_are_refused(server: PoolingServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_tokens: the server reads 400, not 401"):
        export_pooling_encoder(tmp_path / "out", url=server.url, model="demo", max_tokens=401)


def test_a_generating_server_is_no_pooling_server(server: PoolingServer, tmp_path: Path) -> None:
    server.embeds = False
    with pytest.raises(DetectorError, match="pooling endpoint: status 404"):
        export(server, tmp_path)


def test_nobody_there_is_named(server: PoolingServer, tmp_path: Path) -> None:
    with pooling_server() as gone:
        url = gone.url
    with pytest.raises(ConfigError, match=r"url: .*/v1/models: no answer .NewConnectionError"):
        export_pooling_encoder(tmp_path / "out", url=url, model="demo")
    assert server.requests == []
