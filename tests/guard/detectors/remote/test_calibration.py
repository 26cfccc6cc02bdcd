"""A remote detector's calibration: what it is tied to, and what else behind its name does."""

from pathlib import Path

import numpy as np
import pytest

from guard.artifacts.folder import write
from guard.artifacts.manifest import draft
from guard.detectors.context import Context
from guard.detectors.kinds import load_source
from guard.detectors.remote.calibration import KIND, PROBE_TEXTS, tensors_of
from guard.detectors.remote.detector import RemoteModel, load
from guard.detectors.remote.failures import RemoteError
from guard.screening.policy import Policy
from guard.settings import Policy as PolicySettings
from guard.terms.errors import ArtifactError
from guard.terms.item import Call
from tests.guard_models import CLASSES, GuardModel, section
from tests.servers import serving

THRESHOLDS = {"score": 0.6, "score@4": 0.8}


def write_calibration(folder: Path, detector: str, probe: float = 0.2, **thresholds: float) -> Path:
    """An artifact for a detector's version, whose probes all had one score."""
    probes = np.full(len(PROBE_TEXTS), probe, dtype=np.float32)
    recipe = {"detector": detector}
    manifest = draft(KIND, "guard", recipe=recipe, thresholds=thresholds or THRESHOLDS)
    write(folder, manifest, tensors=tensors_of([0.1, 0.2, 0.3], probes))
    return folder


def calibrated(folder: Path, url: str = "http://127.0.0.1:9", probe: float = 0.2) -> RemoteModel:
    plain = load(section(url, **CLASSES), Context("guard"))
    write_calibration(folder, plain.version, probe)
    found = load_source(section(url, **CLASSES, path=folder), Context("guard"))
    assert isinstance(found, RemoteModel)
    return found


def test_a_policy_has_the_calibrations_threshold_and_p_values(tmp_path: Path) -> None:
    detector = calibrated(tmp_path / "c")
    settings = PolicySettings.model_validate({"name": "p", "detector": "guard", "action": "block"})
    policy = Policy.build(settings, detector)
    assert policy.threshold == pytest.approx(0.6)
    assert policy.judge([0.25]).p_benign == pytest.approx(0.5)
    assert detector.thresholds is not None
    assert detector.thresholds.at("user", 5) == pytest.approx(0.8)


def test_answers_have_no_p_values_of_prompts(tmp_path: Path) -> None:
    about = calibrated(tmp_path / "c")
    assert about.about(Call("chat", "/", {}, "m", False, ())).calibration is about.calibration
    words = load(section(), Context("guard"))
    folder = write_calibration(tmp_path / "words", words.version)
    asked = load(section(path=folder), Context("guard"))
    judge = asked.about(Call("chat", "/", {}, "m", False, ()))
    assert (judge.calibration, judge.thresholds) == (None, None)


@pytest.mark.parametrize(
    "keys", [{"model": "other"}, {"unsafe": ["FINE"]}, {"window_characters": 100}]
)
def test_it_is_tied_to_what_is_asked_and_how(keys: dict[str, object], tmp_path: Path) -> None:
    folder = write_calibration(tmp_path / "c", load(section(**CLASSES), Context("g")).version)
    with pytest.raises(ArtifactError, match="made for another model") as error:
        load(section(**{**CLASSES, **keys, "path": folder}), Context("guard"))
    assert error.value.key == ("detectors", "guard", "path")


async def test_another_model_under_the_same_name_is_noticed(tmp_path: Path) -> None:
    model = GuardModel(judge=lambda text: 0.9 if "Hallo" in text else 0.2)
    async with serving(model) as url:
        detector = calibrated(tmp_path / "c", url)
        assert await detector.ask(["hello", "Hallo"]) == pytest.approx([0.2, 0.9])
        asked = len(model.requests)
        assert await detector.ask(["hello"]) == pytest.approx([0.2])
        assert len(model.requests) == asked + 1  # trusted for a while

        model.status = 503
        with pytest.raises(RemoteError):
            await detector.ask(["hello"])
        model.status, model.judge = 200, lambda _: 0.4  # it comes back as another
        with pytest.raises(RemoteError) as error:
            await detector.ask(["hello"])
        await detector.disconnect()
    assert error.value.cause == "other_model"


@pytest.mark.parametrize("thresholds", [{"score": 1.5}, {"other": 0.5}])
def test_what_is_no_calibration_is_refused(thresholds: dict[str, float], tmp_path: Path) -> None:
    version = load(section(**CLASSES), Context("g")).version
    folder = write_calibration(tmp_path / "c", version, **thresholds)
    with pytest.raises(ArtifactError, match="thresholds"):
        load(section(**CLASSES, path=folder), Context("guard"))
