"""Several calibrated detectors as one: `any-of`, `all-of`, `mean`, by their p-values.

Each member's score becomes its p-value among harmless prompts. Joined p-values are again such, for
members that depend on each other in any way: the lowest times their number (Bonferroni), the
highest, and twice the mean (Rüschendorf 1982; Vovk and Wang 2020, Biometrika 107, table 1). The
joint score is 1 less the joint p-value, so that a threshold of 1 - fpr holds the rate.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from guard.detectors.calibration import Calibration
from guard.detectors.context import Context
from guard.settings import JointDetector
from guard.terms.detector import Detector, HeldOutScores, Scores
from guard.terms.errors import ConfigError, about
from guard.terms.item import AUTHORS, Side

Join = Callable[[Scores], Scores]
"""Joint p-values, shape (n,), from those of m members, shape (m, n); maybe more than 1."""

JOINS: Mapping[str, Join] = {
    "any-of": lambda p: len(p) * p.min(axis=0),
    "all-of": lambda p: p.max(axis=0),
    "mean": lambda p: 2 * p.mean(axis=0),
}
"""By kind."""


class JointCalibration(Calibration):
    """A joint score says its p-value among harmless prompts itself."""

    def p_benign(self, score: float) -> float | None:
        """1 less the score."""
        return 1 - score


class Joint(Detector):
    """Scores a text by the joint p-value of its members' scores."""

    sides: frozenset[Side] = frozenset({"prompt"})
    """Calibrations are of prompts."""

    def __init__(self, kind: str, members: Sequence[tuple[Detector, HeldOutScores]], fpr: float):
        """Detectors and their calibrations, all of which know harmless scores."""
        self.members = tuple(detector for detector, _ in members)
        self.threshold = 1 - fpr
        self.waits = any(member.waits for member in self.members)
        self.most_questions = min(member.most_questions for member in self.members)
        self.authors = frozenset(AUTHORS).intersection(*(m.authors for m in self.members))
        self.calibration: HeldOutScores | None = JointCalibration()
        self.version = _version(kind, self.members)
        self._join = JOINS[kind]
        self._calibrations = tuple(calibration for _, calibration in members)

    def join(self, scores: Scores) -> Scores:
        """As `Detector.join`."""
        pairs = zip(self._calibrations, scores.tolist(), strict=True)
        p_values = np.array([[c.p_benign(score) for score in own] for c, own in pairs])
        return np.asarray(1 - np.minimum(1, self._join(p_values)), dtype=np.float32)

    async def disconnect(self) -> None:
        """As its members."""
        for member in self.members:
            await member.disconnect()


def load(source: JointDetector, context: Context) -> Joint:
    """The detector of such a section; ConfigError about a member that cannot be joined."""
    members = []
    for place, name in enumerate(source.of):
        member = context.others[name]
        with about("detectors", context.name, "of", place):
            members.append((member, _calibration_of(name, member)))
    if len({member.waits for member, _ in members}) > 1:
        with about("detectors", context.name, "of"):
            raise ConfigError("some run here and some behind servers: join those of one sort")
    joint = Joint(source.kind, members, source.fpr)
    least = min(len(calibration.benign) for _, calibration in members)
    lowest = JOINS[source.kind](np.full((len(members), 1), 1 / (least + 1)))
    if lowest[0] > source.fpr:
        with about("detectors", context.name, "fpr"):
            said = f"a member has {least} harmless scores, too few for it ever to fire"
            raise ConfigError(said)
    return joint


def _calibration_of(name: str, member: Detector) -> HeldOutScores:
    calibration = member.calibration
    if calibration is None or calibration.p_benign(1.0) is None:
        raise ConfigError(
            f"'{name}' has no harmless scores: calibrate it (ecoguard-train calibrate)"
        )
    if "prompt" not in member.sides:
        raise ConfigError(f"'{name}' does not judge prompts")
    return calibration


def _version(kind: str, members: Sequence[Detector]) -> str:
    said = "\0".join((kind, *(member.version for member in members)))
    return hashlib.sha256(said.encode()).hexdigest()
