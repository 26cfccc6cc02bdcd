"""Thresholds in a manifest: read as they were written, and refused where they mean nothing."""

from pathlib import Path

import pytest

from guard.artifacts.folder import Artifact
from guard.artifacts.manifest import draft
from guard.detectors.stored_thresholds import manifest_thresholds, stored_thresholds
from guard.terms.errors import ArtifactError
from guard.terms.thresholds import Steps, Thresholds


def artifact(**thresholds: float) -> Artifact:
    """One whose manifest holds these thresholds."""
    manifest = draft("test", "test", thresholds=thresholds)
    return Artifact(Path("somewhere"), manifest, {})


def test_what_is_written_is_read() -> None:
    thresholds = Thresholds(Steps((1, 8), (0.5, 0.75)), {"third_party": Steps((1, 2), (0.6, 0.7))})
    stored = manifest_thresholds(thresholds)
    assert stored == {"score": 0.5, "score@8": 0.75, "third_party": 0.6, "third_party@2": 0.7}
    assert stored_thresholds(artifact(**stored)) == thresholds


def test_one_threshold_is_everybodys() -> None:
    assert stored_thresholds(artifact(score=0.5)) == Thresholds.constant(0.5)


@pytest.mark.parametrize(
    ("thresholds", "named"),
    [
        ({}, "thresholds.score: missing"),
        ({"score@2": 0.5}, "thresholds.score: missing"),
        ({"score": 0.0}, "thresholds.score: expected"),
        ({"score": 0.5, "passer_by": 0.5}, "thresholds.passer_by"),
        ({"score": 0.5, "score@x": 0.5}, "thresholds.score@x: nobody"),
        ({"score": 0.5, "user@2": 0.5}, "thresholds.user: missing"),
        ({"score": 0.5, "score@2": 0.4}, "thresholds.score: falls"),
    ],
)
def test_what_has_no_meaning_is_named(thresholds: dict[str, float], named: str) -> None:
    with pytest.raises(ArtifactError, match=named):
        stored_thresholds(artifact(**thresholds))
