"""Thresholds for whole requests: `ecoguard-train calibrate`.

Harmless conversations are read as serving reads them. Of each, two parts are taken: what is new
since the last answer, and everything; each has a highest score and a number of windows. The
thresholds hold for both, at half of the rate each, so that a request is blocked by either with at
most the rate asked for (union bound).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.prompts.conversations import Conversation
from classifiers.statistics.request_thresholds import Bin, request_thresholds
from guard.artifacts.folder import WEIGHTS, Artifact, write
from guard.artifacts.manifest import CARD, MANIFEST, REPORT, draft
from guard.detectors.stored_thresholds import manifest_thresholds
from guard.screening.amounts import windows_read
from guard.screening.reading import Reading
from guard.screening.views.view import ViewLimits
from guard.terms.detector import Detector, Encoder
from guard.terms.item import Author
from guard.terms.thresholds import Thresholds

NEVER = 2.0
"""A threshold above every score: nothing fires, so that nothing is joined anew."""
WRITTEN_ANEW = (MANIFEST, REPORT, CARD, WEIGHTS)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a harmless request: its highest score, and the windows that were read for it."""

    score: float
    windows: int


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Thresholds at a false-positive rate for requests, and the harmless ones they come from."""

    thresholds: Thresholds
    bins: Sequence[Bin]
    requests: int
    fpr: float

    def report(self) -> dict[str, JsonValue]:
        """What the artifact's report says of it."""
        return {
            "fpr": self.fpr,
            "requests": self.requests,
            "guarantee": (
                "A harmless request that is exchangeable with those of its length is blocked with "
                f"probability at most {self.fpr:g}, at every length marked as guaranteed"
            ),
            "lengths": [
                {
                    "windows": f"{found.start} to {found.end}",
                    "parts": found.rows,
                    "threshold": found.threshold,
                    "guaranteed": found.guaranteed,
                }
                for found in self.bins
            ],
        }


def calibrate(
    detector: Detector, encoder: Encoder | None, requests: Iterable[Conversation], fpr: float
) -> Calibrated:
    """Thresholds of a detector for requests; TooFewRowsError where there are too few for any."""
    detector.thresholds = None  # what it has now would be taken off the scores
    read = [list(request_parts(request, detector, encoder)) for request in requests]
    return thresholds_of([part for own in read for part in own], len(read), fpr)


def thresholds_of(parts: Sequence[Part], requests: int, fpr: float) -> Calibrated:
    """Thresholds from the parts of so many requests; TooFewRowsError where there are too few."""
    steps, bins = request_thresholds(
        [part.score for part in parts], [part.windows for part in parts], fpr / 2
    )
    return Calibrated(Thresholds(steps), bins, requests, fpr)


def request_parts(
    request: Conversation, detector: Detector, encoder: Encoder | None
) -> Iterable[Part]:
    """What is new in a request and, where that is not all, the whole of it."""
    reading = Reading(request, encoder, ViewLimits())
    return parts_of(
        request, reading.item_scores(detector, NEVER, detector.authors), detector.authors
    )


def parts_of(
    request: Conversation, scores: NDArray[np.float32], authors: frozenset[Author]
) -> Iterable[Part]:
    """The same, of a request whose items have these scores (n,)."""
    windows = windows_read(request, authors)
    for amount in np.unique(windows):
        if amount:
            inside = windows == amount
            yield Part(float(scores[inside].max()), int(amount))


def write_calibrated(artifact: Artifact, calibrated: Calibrated, folder: Path) -> Artifact:
    """The artifact with other thresholds, in a folder of its own."""
    manifest = artifact.manifest
    stamped = draft(manifest.kind, manifest.name)
    renewed = manifest.model_copy(
        update={
            "created": stamped.created,
            "ecoguard": stamped.ecoguard,
            "thresholds": dict(manifest_thresholds(calibrated.thresholds)),
        }
    )
    files = {name: data for name, data in artifact.contents.items() if name not in WRITTEN_ANEW}
    report = orjson.loads(artifact.contents.get(REPORT, b"{}"))
    report["requests"] = calibrated.report()
    tensors = artifact.tensors() if WEIGHTS in artifact.contents else None
    return write(folder, renewed, tensors=tensors, files=files, report=report)
