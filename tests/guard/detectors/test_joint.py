"""Several calibrated detectors as one: p-values are joined, and the rate holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from guard.detectors.calibration import Calibration
from guard.detectors.context import Context
from guard.detectors.joint import Joint, load
from guard.detectors.kinds import load_detectors
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.settings import JointDetector, Settings
from guard.settings import Policy as PolicySettings
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import ConfigError
from guard.terms.item import Item
from guard.terms.verdict import Verdict
from tests.guard.detectors.remote.test_calibration import write_calibration
from tests.guard_models import CLASSES, GuardModel, section
from tests.servers import serving

HARMLESS = np.arange(1, 1000, dtype=np.float32) / 1000


class Measured(Detector):
    """Scores a text by the number that stands at a place in it."""

    def __init__(self, place: int, harmless: Sequence[float] | None = None) -> None:
        self._place = place
        self.calibration = Calibration(HARMLESS if harmless is None else harmless)

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        return np.array([float(text.split()[self._place]) for text in texts], dtype=np.float32)


def joint(kind: str, members: Mapping[str, Detector], fpr: float = 0.01) -> Joint:
    source = {"kind": kind, "of": list(members), "fpr": fpr}
    return load(JointDetector.model_validate(source), Context("both", others=members))


def two(kind: str, fpr: float = 0.01) -> Joint:
    return joint(kind, {"one": Measured(0), "other": Measured(1)}, fpr)


@pytest.mark.parametrize(
    ("kind", "p_value"), [("any-of", 2 * 0.1), ("all-of", 0.5), ("mean", 0.1 + 0.5)]
)
def test_p_values_are_joined(kind: str, p_value: float) -> None:
    scores = np.array([[0.9005], [0.5005]], dtype=np.float32)
    detector = two(kind)
    (score,) = detector.join(scores)
    assert score == pytest.approx(1 - p_value, abs=1e-3)
    assert detector.calibration is not None
    assert detector.calibration.p_benign(0.75) == pytest.approx(0.25)


@pytest.mark.parametrize("kind", ["any-of", "all-of", "mean"])
@pytest.mark.parametrize("likeness", [0.0, 0.9, 1.0])
def test_harmless_prompts_fire_at_most_as_often_as_asked(kind: str, likeness: float) -> None:
    rng = np.random.default_rng(0)
    shared, own = rng.random((2, 20_000))
    other = np.where(rng.random(20_000) < likeness, shared, own)
    scores = np.stack([shared, other]).astype(np.float32)
    detector = two(kind, 0.1)
    assert np.mean(detector.join(scores) >= detector.threshold) <= 1.05 * 0.1


async def screened(detector: Detector, *texts: str) -> Verdict:
    settings = PolicySettings.model_validate({"name": "p", "detector": "both", "action": "block"})
    screener = Screener([Policy.build(settings, detector)], None, Metrics(), timeout=20)
    items = [Item(("messages", place), "user", text) for place, text in enumerate(texts)]
    try:
        return await screener.screen(items)
    finally:
        await screener.finish()


@pytest.mark.parametrize(("kind", "fired"), [("any-of", (0, 2)), ("all-of", (2,)), ("mean", (2,))])
async def test_a_policy_judges_by_the_joint_score(kind: str, fired: tuple[int, ...]) -> None:
    verdict = await screened(two(kind), "0.999 0.1", "0.9 0.9", "0.9985 0.9985")
    assert [finding.items for finding in verdict.findings] == [fired]
    assert verdict.findings[0].p_benign == pytest.approx(1 - (verdict.findings[0].score or 0))


async def test_members_behind_servers_are_asked(tmp_path: Path) -> None:
    async with serving(GuardModel()) as one, serving(GuardModel(status=503)) as other:
        members = {}
        for name, url in (("one", one), ("other", other)):
            folder = tmp_path / name
            plain = section(url, **CLASSES)
            write_calibration(folder, load_remote(plain).version)
            members[name] = load_remote(section(url, **CLASSES, path=folder, retries=0))
        well = {"one": members["one"], "again": members["one"]}
        found = await screened(joint("any-of", well, 0.5), "an attack")
        failed = await screened(joint("any-of", members, 0.5), "an attack")
        for member in members.values():
            await member.disconnect()
    assert [finding.failure for finding in found.findings] == [None]
    assert [finding.failure for finding in failed.findings] == ["failed"]


def load_remote(source: Any) -> Detector:
    from guard.detectors.remote.detector import load as load_model

    return load_model(source, Context("remote"))


@pytest.mark.parametrize(
    ("members", "fpr", "said"),
    [
        ({"a": Measured(0), "b": Detector()}, 0.01, "of.1: 'b' has no harmless scores"),
        (
            {"a": Measured(0), "b": Measured(1, [0.5])},
            0.01,
            "fpr: a member has 1 harmless scores, too few",
        ),
        ({"a": Measured(0), "b": Measured(1)}, 0.001, "a member has 999 harmless scores"),
    ],
)
def test_what_cannot_be_joined_is_named(
    members: dict[str, Detector], fpr: float, said: str
) -> None:
    with pytest.raises(ConfigError) as error:
        joint("any-of", members, fpr)
    assert said in str(error.value)


def test_members_of_two_sorts_are_refused() -> None:
    waiting = Measured(1)
    waiting.waits = True
    with pytest.raises(ConfigError, match="some run here and some behind servers"):
        joint("mean", {"a": Measured(0), "b": waiting})


PHRASES = {"kind": "phrases", "phrases": ["x"]}


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (["a", "c"], "no detector 'c'"),
        (["a", "a"], "'a' is named twice"),
        (["a", "both"], "'both' joins others itself"),
    ],
)
def test_a_configuration_names_its_members(of: list[str], said: str) -> None:
    detectors = {"both": {"kind": "mean", "of": of}, "a": PHRASES, "b": PHRASES}
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"upstream": {"url": "http://x"}, "detectors": detectors})


def test_members_may_stand_behind_what_joins_them() -> None:
    detectors = {"both": {"kind": "mean", "of": ["a", "b"]}, "a": PHRASES, "b": PHRASES}
    settings = Settings.model_validate({"upstream": {"url": "http://x"}, "detectors": detectors})
    with pytest.raises(ConfigError, match=r"both\.of\.0: 'a' has no harmless scores"):
        load_detectors(settings)
