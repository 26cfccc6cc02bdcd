"""Writes a judged detector with its reports: the features' classifier, or a fine-tuned model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from classifiers.malicious.candidate import Candidate
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.malicious.report.comparison import manifest_metrics
from guard.artifacts.folder import WEIGHTS, Artifact, write
from guard.artifacts.manifest import CARD, MANIFEST, PAGE, REPORT, DataSource, draft
from guard.detectors.malicious.features import KIND


@dataclass(frozen=True, slots=True)
class Reports:
    """What an artifact says of itself: figures, `report.json`, `report.html`, data."""

    figures: Mapping[str, JsonValue]
    report: Mapping[str, JsonValue]
    page: bytes
    data: Mapping[str, DataSource]


def write_feature_detector(
    out: Path, candidate: Candidate, encoder: str, recipe: MaliciousRecipe, reports: Reports
) -> Artifact:
    """An artifact of kind `malicious`; `encoder` is the digest of the encoder it reads."""
    manifest = draft(
        KIND,
        recipe.name,
        encoder=encoder,
        thresholds={"score": candidate.threshold.value},
        metrics=manifest_metrics(reports.figures),
        recipe=recipe.recorded(),
        data=reports.data,
    )
    model = candidate.model.tensors() if candidate.model else {}
    tensors = {**model, **candidate.kept(kept_rng(recipe)).tensors()}
    files = {PAGE: reports.page}
    return write(out, manifest, tensors=tensors, files=files, report=reports.report)


def write_fine_tuned(
    out: Path, made: Artifact, recipe: MaliciousRecipe, reports: Reports
) -> Artifact:
    """The artifact that the trainer made, with the name, recipe and reports of this training."""
    manifest = draft(
        made.manifest.kind,
        recipe.name,
        thresholds=made.manifest.thresholds,
        metrics=manifest_metrics(reports.figures),
        recipe={**recipe.recorded(), **made.manifest.recipe},
        data=reports.data,
    )
    own = (MANIFEST, WEIGHTS, REPORT, CARD, PAGE)
    files = {name: content for name, content in made.contents.items() if name not in own}
    report: Mapping[str, JsonValue] = reports.report
    return write(
        out, manifest, tensors=made.tensors(), files={**files, PAGE: reports.page}, report=report
    )


def kept_rng(recipe: MaliciousRecipe) -> np.random.Generator:
    """Always the same drawing, so that report and artifact keep the same samples."""
    return np.random.default_rng([recipe.seed, 7])
