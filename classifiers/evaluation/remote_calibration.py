"""Thresholds of a detector behind a server: `ecoguard-train calibrate NAME --config FILE`.

The model is asked for the scores of harmless conversations, as serving asks it; what comes of them
is as in `request_calibration`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation.request_calibration import (
    NEVER,
    Calibrated,
    Part,
    parts_of,
    thresholds_of,
)
from classifiers.prompts.conversations import Conversation
from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import draft
from guard.detectors.context import Context
from guard.detectors.remote.calibration import KIND, PROBE_TEXTS, tensors_of
from guard.detectors.remote.detector import RemoteModel
from guard.detectors.remote.detector import load as load_remote
from guard.detectors.stored_thresholds import manifest_thresholds
from guard.screening.discounts import Discounts
from guard.screening.reading import Reading
from guard.screening.views.view import ViewLimits
from guard.screening.wanted import WantedError
from guard.settings import RemoteDetector, load, placing
from guard.settings.problems import suggestion
from guard.terms.detector import Scores
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RemoteScores:
    """Harmless requests with their items' scores, and the probes' scores."""

    requests: Sequence[Conversation]
    scores: Sequence[NDArray[np.float32]]
    probes: Scores


def remote_detector(name: str, config: Path) -> RemoteModel:
    """The remote detector of a configuration, without an older calibration; ConfigError where it
    has none of that name."""
    settings = load(config)
    source = settings.detectors.get(name)
    if not isinstance(source, RemoteDetector):
        known = [n for n, each in settings.detectors.items() if isinstance(each, RemoteDetector)]
        raise ConfigError(f"{config}: no remote detector '{name}'{suggestion(name, known)}")
    with placing(config):
        return load_remote(source.model_copy(update={"path": None}), Context(name))


async def ask_all(detector: RemoteModel, requests: Iterable[Conversation]) -> RemoteScores:
    """The scores of everything; raises RemoteError with the first question that fails."""
    read: list[Conversation] = []
    scores: list[NDArray[np.float32]] = []
    waiting = iter(requests)
    try:
        probes = await detector.probe()
        while some := list(islice(waiting, detector.most_questions)):
            read += some
            scores += await asyncio.gather(*(item_scores(detector, each) for each in some))
    finally:
        await detector.disconnect()
    return RemoteScores(read, scores, probes)


async def item_scores(detector: RemoteModel, request: Conversation) -> NDArray[np.float32]:
    """Each item's score, shape (number of items,), as serving finds it."""
    reading = Reading(request, None, ViewLimits(), defers=True)
    while True:
        try:
            return reading.item_scores(detector, NEVER, detector.authors)
        except WantedError as wanted:
            reading.tell(wanted, await detector.ask(wanted.contents))


def calibrate_remote(detector: RemoteModel, found: RemoteScores, fpr: float) -> Calibrated:
    """Thresholds for requests; TooFewRowsError where there are too few for any, ConfigError where
    none holds the rate."""
    pairs = zip(found.requests, found.scores, strict=True)
    parts: list[Part] = [
        part for request, own in pairs for part in parts_of(request, own, detector.authors)
    ]
    calibrated = thresholds_of(parts, len(found.requests), fpr)
    if max(calibrated.thresholds.steps.values) > 1:
        said = "the model is as sure as it can be that more harmless requests than that are bad"
        raise ConfigError(f"--fpr {fpr:g}: {said}; no threshold holds the rate")
    return calibrated


def write_remote(
    detector: RemoteModel, found: RemoteScores, calibrated: Calibrated, name: str, folder: Path
) -> Artifact:
    """The artifact, with what the detector is and the harmless scores as policies see them."""
    pairs = zip(found.requests, found.scores, strict=True)
    discounted = (
        Discounts(request, detector.authors, calibrated.thresholds).of_items(own)
        for request, own in pairs
    )
    harmless = [float(own.max(initial=0)) for own in discounted]
    recipe: Mapping[str, object] = {
        "detector": detector.version,
        "model": str(detector.identity.get("model")),
        "probes": list(PROBE_TEXTS),
    }
    manifest = draft(
        KIND,
        name,
        recipe=dict(recipe),
        thresholds=dict(manifest_thresholds(calibrated.thresholds)),
    )
    report = {"requests": calibrated.report()}
    return write(folder, manifest, tensors=tensors_of(harmless, found.probes), report=report)
