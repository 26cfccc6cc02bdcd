"""Many requests as one detector: each decides as it would alone, whatever the others are."""

from pathlib import Path

import numpy as np
import pytest

from guard.artifacts.folder import write
from guard.artifacts.manifest import draft
from guard.detectors.forget.detector import ForgetClassifier
from guard.detectors.forget.requests import ForgetRequest, RequestSet
from guard.detectors.weights import log_odds
from guard.terms.errors import DetectorError

ENCODER = "e" * 64
WIDTH = 16
RNG = np.random.default_rng(3)
FEATURES = RNG.standard_normal((200, WIDTH)).astype(np.float32)
TEXTS = [f"text {row}" for row in range(200)]


def request(
    folder: Path, name: str, *, seed: int = 0, threshold: float = 0.6, names: str = "[]"
) -> ForgetRequest:
    rng = np.random.default_rng(seed)
    artifact = write(
        folder / name,
        draft("forget", name, encoder=ENCODER, thresholds={"score": threshold}),
        tensors={
            "weight": rng.standard_normal(WIDTH).astype(np.float32),
            "bias": rng.standard_normal(1).astype(np.float32),
        },
        files={"names.json": names.encode()},
    )
    return ForgetRequest.from_artifact(artifact)


def together(*requests: ForgetRequest) -> RequestSet:
    return RequestSet(requests, encoder=ENCODER, width=WIDTH)


@pytest.mark.parametrize("threshold", [0.02, 0.6, 0.999, 1.0])
def test_a_request_fires_where_it_would_alone(tmp_path: Path, threshold: float) -> None:
    """Its own threshold becomes the common one."""
    one = together(request(tmp_path, "one", threshold=threshold))
    alone = ForgetClassifier.load(tmp_path / "one")
    fired = one.score(TEXTS, FEATURES) >= one.threshold
    np.testing.assert_array_equal(fired, alone.score(TEXTS, FEATURES) >= threshold)
    assert threshold in (0.02, 1.0) or 0 < fired.sum() < len(TEXTS)


def test_the_highest_score_counts(tmp_path: Path) -> None:
    requests = [request(tmp_path, f"r{seed}", seed=seed) for seed in range(5)]
    each = [together(one).score(TEXTS, FEATURES) for one in requests]
    np.testing.assert_allclose(
        together(*requests).score(TEXTS, FEATURES), np.max(each, axis=0), rtol=1e-6
    )


def test_names_say_which_request_fired(tmp_path: Path) -> None:
    never = {"threshold": 1.0}
    both = together(
        request(tmp_path, "varnholt", names='["Ilse Varnholt"]', **never),  # type: ignore[arg-type]
        request(tmp_path, "tandrup", names='["Orvo Tandrup"]', **never),  # type: ignore[arg-type]
    )
    texts = ["nobody", "who is ilse varnholt", "Tandrup, Orvo and Ilse Varnholt"]
    np.testing.assert_array_equal(both.score(texts, FEATURES[:3]) >= 0.5, [False, True, True])
    assert both.subjects(texts[:1], FEATURES[:1], 0.5) == ()
    assert both.names_of(both.subjects(texts[:2], FEATURES[:2], 0.5)) == ("varnholt",)
    assert both.names_of(both.subjects(texts, FEATURES[:3], 0.5)) == ("tandrup", "varnholt")


def test_heads_say_which_request_fired(tmp_path: Path) -> None:
    requests = [request(tmp_path, f"r{seed}", seed=seed) for seed in range(5)]
    served = together(*requests)
    for row in range(20):
        own = {r.name for r in requests if together(r).score(["x"], FEATURES[row : row + 1]) >= 0.5}
        found = served.subjects(["x"], FEATURES[row : row + 1], 0.5)
        assert set(served.names_of(found)) == own


def test_the_version_follows_every_change(tmp_path: Path) -> None:
    one, two = request(tmp_path, "one", seed=1), request(tmp_path, "two", seed=2)
    other = request(tmp_path / "again", "two", seed=3)
    sets = [together(), together(one), together(two), together(one, two), together(one, other)]
    assert len({served.version for served in sets}) == len(sets)
    assert together(one, two).version == together(two, one).version


def test_without_requests_nothing_fires() -> None:
    empty = together()
    np.testing.assert_array_equal(empty.score(["a", "b"], FEATURES[:2]), [0, 0])
    assert empty.subjects(["a"], FEATURES[:1], 0.0) == ()


@pytest.mark.parametrize("features", [None, FEATURES[:, :3], FEATURES[0]])
def test_features_must_fit(tmp_path: Path, features: np.ndarray | None) -> None:
    with pytest.raises(DetectorError, match="features"):
        together(request(tmp_path, "one")).score(["a"], features)


def test_log_odds_are_bounded() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(1.0) == -log_odds(1e-12) == 17.0
