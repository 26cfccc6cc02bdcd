"""The malicious-prompt classifier: its arithmetic, artifacts that cannot be one, and blocking."""

import hashlib
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from numpy.typing import NDArray

from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import draft
from guard.detectors.kinds import load_detector
from guard.detectors.malicious.features import Dense, MaliciousClassifier
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.server.app import create_app
from guard.settings import Settings
from guard.terms.detector import Features
from guard.terms.errors import ArtifactError, DetectorError
from tests.encoders import WordEncoder, tiny_artifact
from tests.fakes import FakeVLLM
from tests.servers import serving

ENCODER = "e" * 64
Tensors = dict[str, NDArray[np.generic]]


def member(number: int, *layers: tuple[Any, Any]) -> Tensors:
    """The tensors of one member, from (weight, bias) pairs."""
    found: Tensors = {}
    for place, (weight, bias) in enumerate(layers):
        found[f"members.{number}.{place}.weight"] = np.array(weight, dtype=np.float32)
        found[f"members.{number}.{place}.bias"] = np.array(bias, dtype=np.float32)
    return found


def row(name: str, *values: Any) -> Tensors:
    return {name: np.array(values, dtype=np.float32)}


LINEAR = member(0, ([[2, -1]], [0.5]))


def artifact(
    folder: Path, tensors: Tensors, *, threshold: float = 0.6, encoder: str | None = ENCODER
) -> Artifact:
    manifest = draft("malicious", "sample", encoder=encoder, thresholds={"score": threshold})
    return write(folder, manifest, tensors=tensors)


def logits(folder: Path, tensors: Tensors, *rows: list[float]) -> list[float]:
    artifact(folder / "a", tensors)
    found = MaliciousClassifier.load(folder / "a").logits(np.array(rows, dtype=np.float32))
    assert found.dtype == np.float32
    return [float(logit) for logit in found]


ARITHMETIC: dict[str, tuple[Tensors, list[list[float]], list[float]]] = {
    "linear": (LINEAR, [[1, 1], [0, 3]], [1.5, -2.5]),
    "two classes": (member(0, ([[1, 0], [0, 2]], [0.5, 0])), [[1, 1], [0, 0]], [0.5, -0.5]),
    "hidden layer": (
        member(0, ([[1, 0], [-1, 0]], [0, 0]), ([[1, 3]], [0])),
        [[2, 9], [-2, 9]],
        [2, 6],
    ),
    "odd vote": (
        member(0, ([[1, 0]], [0])) | member(1, ([[9, 0]], [0])) | member(2, ([[2, 0]], [0])),
        [[1, 0], [-1, 0]],
        [2, -2],
    ),
    "even vote": (member(0, ([[1, 0]], [0])) | member(1, ([[4, 0]], [0])), [[1, 0]], [2.5]),
}


@pytest.mark.parametrize(("tensors", "rows", "expected"), ARITHMETIC.values(), ids=ARITHMETIC)
def test_logits_are_the_layouts(
    tmp_path: Path, tensors: Tensors, rows: list[list[float]], expected: list[float]
) -> None:
    assert logits(tmp_path, tensors, *rows) == pytest.approx(expected, abs=1e-6)


def test_scores_are_the_logistic_of_the_logits(tmp_path: Path) -> None:
    artifact(tmp_path / "a", LINEAR | row("calibration.benign", 0.1, 0.2))
    detector = MaliciousClassifier.load(tmp_path / "a")
    features = np.array([[1, 1], [0, 3]], dtype=np.float32)

    scores = detector.score(["a", "b"], features)

    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([-1.5, 2.5])), atol=1e-6)
    assert (detector.threshold, detector.encoder) == (0.6, ENCODER)
    assert detector.calibration is not None
    assert detector.calibration.p_benign(0.15) == pytest.approx(2 / 3)


def test_neighbours_in_a_batch_do_not_change_a_score() -> None:
    rng = np.random.default_rng(5)
    layers = [
        (
            Dense(random_rows(rng, 8, 6), np.zeros(8, np.float32)),
            Dense(random_rows(rng, 1, 8), np.zeros(1, np.float32)),
        )
        for _ in range(3)
    ]
    detector = MaliciousClassifier(layers, threshold=0.5, encoder=ENCODER)
    features = random_rows(rng, 40, 6)

    alone = np.concatenate([detector.logits(features[[at]]) for at in range(40)])

    np.testing.assert_allclose(detector.logits(features), alone, atol=1e-5)


def random_rows(rng: np.random.Generator, *shape: int) -> Features:
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("features", [None, np.ones((1, 3), np.float32), np.ones(2, np.float32)])
def test_features_that_do_not_fit_are_a_detector_error(features: Features | None) -> None:
    layer = Dense(np.ones((1, 2), np.float32), np.zeros(1, np.float32))
    detector = MaliciousClassifier([(layer,)], threshold=0.5, encoder=ENCODER)
    with pytest.raises(DetectorError, match="features"):
        detector.score(["a"], features)


def test_somebody_must_vote() -> None:
    with pytest.raises(ValueError, match="members: at least one"):
        MaliciousClassifier([], threshold=0.5, encoder=ENCODER)


UNUSABLE: dict[str, tuple[Tensors, dict[str, Any], str]] = {
    "no encoder": (LINEAR, {"encoder": None}, "encoder: a classifier of features names"),
    "threshold": (LINEAR, {"threshold": 0.0}, "thresholds.score: expected a number"),
    "no member": (row("bias", 1, 2), {}, r"tensors.members.0.0.weight: missing"),
    "no bias": (row("members.0.0.weight", [1, 2]), {}, r"tensors.members.0.0.bias: missing"),
    "three outputs": (
        member(0, (np.ones((3, 2)), np.zeros(3))),
        {},
        r"tensors.members.0.0.weight: 3 outputs, expected 1 logit or 2 classes",
    ),
    "layers do not meet": (
        member(0, (np.ones((3, 2)), np.zeros(3)), (np.ones((1, 4)), [0])),
        {},
        r"tensors.members.0.1.weight: shape \(1, 4\), float32, expected \(n, 3\)",
    ),
    "members do not meet": (
        LINEAR | member(1, ([[1, 2, 3]], [0])),
        {},
        r"tensors.members.1.0.weight: shape \(1, 3\), float32, expected \(n, 2\)",
    ),
    "bias does not meet": (
        member(0, ([[2, 1]], [0, 1])),
        {},
        r"tensors.members.0.0.bias: shape \(2,\), float32, expected \(1\)",
    ),
    "not finite": (
        member(0, ([[2, np.nan]], [0])),
        {},
        "tensors.members.0.0.weight: holds values that are not finite",
    ),
    "calibration": (LINEAR | row("calibration.benign", 2), {}, "tensors.calibration.benign: holds"),
    "member left out": (
        LINEAR | member(2, ([[1, 2]], [0])),
        {},
        "tensors.members.2.0.bias: has no meaning",
    ),
    "unknown": (LINEAR | row("bias", 1), {}, "tensors.bias: has no meaning"),
}


@pytest.mark.parametrize(("tensors", "fields", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_artifacts_name_the_field(
    tmp_path: Path, tensors: Tensors, fields: dict[str, Any], message: str
) -> None:
    artifact(tmp_path / "a", tensors, **fields)
    with pytest.raises(ArtifactError, match=message):
        MaliciousClassifier.load(tmp_path / "a")


def test_it_is_loaded_by_its_kind_for_its_encoder_only(tmp_path: Path) -> None:
    encoder = WordEncoder(width=2)
    artifact(tmp_path / "a", LINEAR, encoder=encoder.digest)
    assert isinstance(load_detector(tmp_path / "a", encoder), MaliciousClassifier)
    with pytest.raises(ArtifactError, match="encoder: trained on encoder"):
        load_detector(tmp_path / "a", WordEncoder(width=2, digest="a" * 64))


BAD, GOOD = "tell me about the poem of x", "who was born in the river"


def between(encoder: OnnxEncoder) -> Tensors:
    """A member whose border lies halfway from GOOD's features to BAD's, steep enough to tell."""
    bad, good = encoder.encode([BAD, GOOD])
    weight = 20 * (bad - good) / np.sum((bad - good) ** 2)
    return member(0, ([weight], [-weight @ (bad + good) / 2]))


CALIBRATION = row("calibration.benign", *np.linspace(0.1, 0.4, 99)) | row(
    "calibration.malicious", *np.linspace(0.6, 0.9, 99)
)


def served_settings(upstream: str, detector: Path, **policy: Any) -> Settings:
    """A policy on the detector, and a key for everything."""
    rule = {"name": "attacks", "detector": "malicious", "action": "block", **policy}
    key = {"name": "tester", "sha256": hashlib.sha256(b"tester").hexdigest()}
    return Settings.model_validate(
        {
            "upstream": {"url": upstream, "send_early": False},
            "encoder": {"path": str(tiny_artifact())},
            "detectors": {"malicious": {"kind": "artifact", "path": str(detector)}},
            "policies": [rule],
            "keys": [{**key, "scopes": ["inference", "check"]}],
            "check": {"enabled": True},
        }
    )


def asked(text: str) -> dict[str, Any]:
    return {"model": "demo", "messages": [{"role": "user", "content": text}]}


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    """A trained detector's folder; made here, as nothing may be encoded on an event loop."""
    encoder = OnnxEncoder.load(tiny_artifact())
    artifact(tmp_path / "a", between(encoder) | CALIBRATION, encoder=encoder.digest)
    return tmp_path / "a"


async def test_the_proxy_blocks_by_it_and_says_how_unusual_a_prompt_is(detector: Path) -> None:
    """Artifacts on disk, settings, screening, refusal: all of it but the model server."""
    vllm = FakeVLLM()
    async with serving(vllm) as upstream:
        app = create_app(served_settings(upstream, detector))
        headers = {"authorization": "Bearer tester"}
        async with (
            serving(app) as url,
            httpx2.AsyncClient(base_url=url, headers=headers) as client,
        ):
            blocked = await client.post("/v1/chat/completions", json=asked(BAD))
            passed = await client.post("/v1/chat/completions", json=asked(GOOD))
            checks = [
                (await client.post("/v1/guard/check", json={"request": asked(text)})).json()
                for text in (BAD, GOOD)
            ]
            metrics = (await client.get("/metrics")).text

    assert (blocked.status_code, passed.status_code) == (400, 200)
    assert blocked.json()["error"]["code"] == "content_filter"
    assert len(vllm.requests) == 1
    assert "p_value" not in blocked.text + passed.text
    assert checks[0]["findings"][0]["p_values"] == {"benign": 0.01, "malicious": 1.0}
    assert checks[1]["passed"][0]["p_values"] == {"benign": 1.0, "malicious": 0.01}
    assert (
        'ecoguard_p_value_count{class="benign",policy="attacks"} 2.0' in metrics
    )  # checks are no traffic
