"""Makes the artifact of an encoder that a server runs: the guarded model, pooled by vLLM.

`ecoguard-train pooling-encoder` starts it; `guard.encoders.pooling_encoder` serves what it writes.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Literal

import numpy as np
from pydantic import JsonValue

from classifiers.encoder.chat_template import ModelTokenizer, read_model_tokenizer
from classifiers.encoder.drift import sample_prompts
from classifiers.encoder.source import fetch_files
from classifiers.model_server.pooling_server import ServedModel, describe
from guard.artifacts.folder import Artifact, read, write
from guard.artifacts.manifest import Manifest, draft
from guard.encoders.pooling_encoder import KIND, LEAST_COSINE, PROBES, PoolingEncoder
from guard.encoders.pooling_endpoint import PoolingEndpoint
from guard.encoders.tokenizer import TOKENIZER
from guard.terms.detector import Features
from guard.terms.errors import ArtifactError, ConfigError

Pooling = Literal["last", "mean", "cls"]
PROBE_TEXTS = (
    "What is the capital of France?",
    "Write a short note about the history of bridges, for a curious beginner.",
    "def merge(left, right): return sorted(left + right)",
    "pourquoi le ciel est bleu, warum der Himmel blau ist",
)
MOST_TOKENS = 512
SAME_LAST = 0.9999
"""Cosine of a long prompt's features to those of one with another last token, beyond which the
last token can hardly be what is pooled."""
TRIED_ALONE = 8
CONNECTIONS = 4
PATIENCE_S = 600.0


def export_pooling_encoder(
    out: Path,
    *,
    url: str,
    model: str,
    tokenizer: str | None = None,
    pooling: Pooling = "last",
    max_tokens: int | None = None,
    api_key: str | None = None,
    timeout: float = PATIENCE_S,
) -> Artifact:
    """Ask the server at `url` for the width and the probes of `model`, and write the artifact.

    `tokenizer` is the model's folder or its name on the hub (default: what the server says it
    serves), `pooling` what the server was told to do, `max_tokens` the longest input (default:
    the server's, at most 512). An artifact of the same recipe whose probes the server still gives
    is returned as it is. Raises ConfigError for a tokenizer or template that is not the server's
    and for a pooling that cannot be, DetectorError where the server fails.
    """
    served = describe(url, model, api_key)
    longest = max_tokens or min(MOST_TOKENS, served.max_tokens)
    if longest > served.max_tokens:
        raise ConfigError(f"max_tokens: the server reads {served.max_tokens}, not {longest}")
    own = read_model_tokenizer(_tokenizer_folder(tokenizer or served.root))
    frame = own.frame
    recipe: dict[str, JsonValue] = {
        **{"model": model, "pooling": pooling, "max_tokens": longest},
        **{"prefix": frame.prefix, "suffix": frame.suffix, "special_tokens": frame.special_tokens},
        PROBES: list(PROBE_TEXTS),
    }
    with PoolingEndpoint(
        url, model, api_key=api_key, timeout=timeout, connections=CONNECTIONS
    ) as endpoint:
        trial = _trial(endpoint, own, recipe)
        _check_tokens(trial, served)
        if pooling == "last":
            _check_last_token(trial, endpoint)
        if present := _present(out, trial, own):
            return present
        return _publish(out, trial, endpoint, own)


def _tokenizer_folder(tokenizer: str) -> Path:
    folder = Path(tokenizer)
    if folder.exists():
        return folder
    wanted = [TOKENIZER, "tokenizer_config.json", "chat_template.jinja", "config.json"]
    return fetch_files("tokenizer", tokenizer, wanted)


def _trial(
    endpoint: PoolingEndpoint, own: ModelTokenizer, recipe: dict[str, JsonValue]
) -> Artifact:
    """The artifact as it will be, from the probes' features of this moment."""
    width = endpoint.vectors([[0]]).shape[1]
    empty = np.zeros((len(PROBE_TEXTS), width), dtype=np.float32)
    manifest = draft(KIND, str(recipe["model"]), recipe={**recipe, "width": width})
    with TemporaryDirectory(prefix="ecoguard-encoder-") as scratch:
        files = {TOKENIZER: own.content}
        blank = write(Path(scratch) / "a", manifest, tensors={PROBES: empty}, files=files)
        probes = PoolingEncoder(blank, endpoint).unchecked(PROBE_TEXTS)
        return write(Path(scratch) / "a", manifest, tensors={PROBES: probes}, files=files)


def _check_tokens(trial: Artifact, served: ServedModel) -> None:
    """Where the server tells its own tokens for a turn, they must be the artifact's."""
    encoder = PoolingEncoder(trial, _Unasked())
    for text in PROBE_TEXTS:
        theirs = served.turn_tokens(text)
        if theirs is not None and theirs != encoder.token_ids(text):
            raise ConfigError(
                "tokenizer: the server makes other tokens of a user's turn: "
                "name the folder of the model that it serves"
            )


def _check_last_token(trial: Artifact, endpoint: PoolingEndpoint) -> None:
    ids = PoolingEncoder(trial, endpoint).token_ids(" ".join(PROBE_TEXTS))
    one, other = endpoint.vectors([[*ids, ids[0]], [*ids, ids[len(ids) // 2]]])
    cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    if cosine > SAME_LAST:
        raise ConfigError(
            "pooling: the features hardly depend on the last token: start the server with "
            """--pooler-config '{"pooling_type": "LAST"}', or say how it pools"""
        )


def _present(out: Path, trial: Artifact, own: ModelTokenizer) -> Artifact | None:
    """The artifact at `out` if it is whole, of this recipe, and of this model's weights."""
    try:
        artifact = read(out, KIND)
        known = artifact.tensors()[PROBES].astype(np.float32)
    except (ArtifactError, KeyError):
        return None
    now = trial.tensors()[PROBES].astype(np.float32)
    same = artifact.manifest.recipe == trial.manifest.recipe and known.shape == now.shape
    if not same or artifact.bytes_of(TOKENIZER) != own.content:
        return None
    return artifact if (known * now).sum(axis=1).min() >= LEAST_COSINE else None


def _publish(
    out: Path, trial: Artifact, endpoint: PoolingEndpoint, own: ModelTokenizer
) -> Artifact:
    encoder = PoolingEncoder(trial, endpoint)
    texts = sample_prompts()
    started = perf_counter()
    together = encoder.encode(texts)
    speed = len(texts) / (perf_counter() - started)
    drift = _batching_drift(together, encoder, texts)
    report: dict[str, JsonValue] = {
        "prompts_per_second": round(speed, 1),
        "prompts_timed": len(texts),
        "cosine_between_batches": drift,
    }
    metrics = {"drift_largest": drift}
    manifest: Manifest = trial.manifest.model_copy(update={"metrics": metrics, "files": {}})
    return write(
        out,
        manifest,
        tensors={PROBES: trial.tensors()[PROBES]},
        files={TOKENIZER: own.content},
        report=report,
    )


def _batching_drift(together: Features, encoder: PoolingEncoder, texts: Sequence[str]) -> float:
    """The largest cosine distance between features in company and alone, over some texts."""
    rows = range(0, len(texts), max(1, len(texts) // TRIED_ALONE))
    alone = np.concatenate([encoder.encode([texts[row]]) for row in rows])
    return float(max(0.0, 1.0 - (alone * together[rows]).sum(axis=1).min()))


class _Unasked:
    """The endpoint of an encoder that is only asked for tokens."""

    def vectors(self, prompts: Sequence[Sequence[int]]) -> Features:
        """Never called."""
        raise AssertionError(f"asked for {len(prompts)} vectors")

    def close(self) -> None:
        """Nothing is open."""
