"""The guarded model's own last hidden state as features, from a server that pools it.

The artifact of kind `pooling-encoder` (`ecoguard-train pooling-encoder`) holds what turns a text
into the model's tokens, and probes that tell whether a server is the one it was made with; where
the server is, settings say.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from guard.artifacts.folder import Artifact
from guard.encoders.pooling_endpoint import PoolingEndpoint, Vectors
from guard.encoders.tokenizer import open_tokenizer, token_windows
from guard.settings import EncoderSource, configured_secret
from guard.terms.detector import Encoder, Features
from guard.terms.errors import DetectorError

KIND = "pooling-encoder"
PROBES = "probes"
"""Recipe: texts; tensor: their features (probes, width) when the artifact was made."""
LEAST_COSINE = 0.99
"""To the probes' features. Precision and batching cost 0.001, another pooling or model far more."""
TRUST_S = 60.0
"""Seconds after which a server is asked for the probes again; after any failure it is at once."""
TOUCHING = 2
"""Tokens by which text and template together may exceed the sum of both."""


class Endpoint(Protocol):
    """What pools: `PoolingEndpoint`, or a stand-in for it."""

    def vectors(self, prompts: Sequence[Sequence[int]]) -> Vectors:
        """A vector per prompt of token ids, shape (n, width); DetectorError where it fails."""
        ...

    def close(self) -> None:
        """Let connections end."""
        ...


class PoolingEncoder(Encoder):
    """Unit-length vectors of texts, each put into the model's chat template as a user's turn.

    `max_tokens` is the longest input, the template included; what is longer loses tokens before
    the template's end, so callers cut windows first (`windows`). Safe to share between threads.
    """

    def __init__(self, artifact: Artifact, endpoint: Endpoint) -> None:
        self.digest = artifact.manifest.digest
        self.width = int(str(artifact.recipe_value("width", int)))
        self.max_tokens = int(str(artifact.recipe_value("max_tokens", int)))
        self._prefix = str(artifact.recipe_value("prefix", str))
        self._suffix = str(artifact.recipe_value("suffix", str))
        self._special = bool(artifact.recipe_value("special_tokens", bool))
        self._tokenizer = open_tokenizer(artifact)
        self._probe_texts = _probe_texts(artifact)
        self._probes = _probes(artifact, len(self._probe_texts), self.width)
        self._endpoint = endpoint
        self._trusted_until = 0.0
        self._head, self._tail = self._template_tokens()
        self.window_tokens: int = self.max_tokens - self._head - self._tail - TOUCHING
        if self.window_tokens < 1:
            raise artifact.fail("recipe.max_tokens", "the template alone is longer")

    @classmethod
    def connect(
        cls,
        artifact: Artifact,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 5.0,
        connections: int = 4,
    ) -> Self:
        """The artifact's encoder at a server; nothing is sent before the first text."""
        model = str(artifact.recipe_value("model", str))
        endpoint = PoolingEndpoint(
            url, model, api_key=api_key, timeout=timeout, connections=connections
        )
        return cls(artifact, endpoint)

    def encode(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width), float32, each row of unit length.

        Raises DetectorError when the endpoint fails, is late, or answers the probes otherwise
        than when the artifact was made: then it serves another model or pools in another way.
        """
        if not texts:
            return np.empty((0, self.width), dtype=np.float32)
        try:
            self._check_endpoint()
            return self.unchecked(texts)
        except DetectorError:
            self._trusted_until = 0.0
            raise

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        """Character ranges covering all of `text`, at most `size` tokens each (see OnnxEncoder)."""
        return token_windows(self._tokenizer, text, size, stride)

    def token_ids(self, text: str) -> list[int]:
        """The model's input for a text: template and text, the template's end always whole."""
        ids = self._whole_ids(text)
        over = max(0, len(ids) - self.max_tokens)
        end = len(ids) - self._tail
        return ids[: end - over] + ids[end:]

    def close(self) -> None:
        """Let the connections to the endpoint end."""
        self._endpoint.close()

    def _whole_ids(self, text: str) -> list[int]:
        whole = f"{self._prefix}{text}{self._suffix}"
        return list(self._tokenizer.encode(whole, add_special_tokens=self._special).ids)

    def unchecked(self, texts: Sequence[str]) -> Features:
        """As `encode`, without asking for the probes; at least one text."""
        vectors = self._endpoint.vectors([self.token_ids(text) for text in texts])
        if vectors.shape != (len(texts), self.width):
            raise DetectorError(f"pooling endpoint: width {vectors.shape[-1]}, not {self.width}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (lengths > 0).all():
            raise DetectorError("pooling endpoint: a vector of zeros")
        return np.asarray(vectors / lengths, dtype=np.float32)

    def _check_endpoint(self) -> None:
        if monotonic() < self._trusted_until:
            return
        cosines = (self.unchecked(self._probe_texts) * self._probes).sum(axis=1)
        if not cosines.min() >= LEAST_COSINE:
            raise DetectorError(
                f"pooling endpoint: a probe's features are {cosines.min():.3f} alike, "
                f"at least {LEAST_COSINE:g} expected: another model or pooling"
            )
        self._trusted_until = monotonic() + TRUST_S

    def _template_tokens(self) -> tuple[int, int]:
        """How many tokens before and behind the text are the same whatever the text."""
        one, other = self._whole_ids("a"), self._whole_ids("b c")
        return _shared(one, other), _shared(one[::-1], other[::-1])


def load(artifact: Artifact, source: EncoderSource, threads: int) -> PoolingEncoder:  # noqa: ARG001
    """The artifact's encoder at the server that its section names; ArtifactError without one."""
    if source.url is None:
        raise artifact.fail("kind", "a pooling encoder needs its server's address, encoder.url")
    if source.device != "cpu":
        raise artifact.fail("kind", "an encoder behind a server takes no encoder.device")
    return PoolingEncoder.connect(
        artifact,
        source.url,
        api_key=configured_secret(source.api_key_env, "encoder", "api_key_env"),
        timeout=source.timeout_s,
        connections=source.connections,
    )


def _shared(left: Sequence[int], right: Sequence[int]) -> int:
    pairs = zip(left, right, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))


def _probe_texts(artifact: Artifact) -> list[str]:
    texts = artifact.recipe_value(PROBES, list)
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise artifact.fail(f"recipe.{PROBES}", "expected a list of texts")
    return [str(text) for text in texts]


def _probes(artifact: Artifact, count: int, width: int) -> NDArray[np.float32]:
    found = artifact.tensors().get(PROBES)
    if found is None or found.shape != (count, width) or found.dtype != np.float32:
        raise artifact.fail(f"tensors.{PROBES}", f"expected float32 of shape ({count}, {width})")
    return found.astype(np.float32)
