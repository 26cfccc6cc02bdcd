"""`ecoguard-train calibrate NAME --config FILE`: a remote detector's thresholds hold their rate."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from classifiers.prompts.conversations import read_conversations
from guard.detectors.kinds import load_detectors
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.settings import load
from tests.classifiers.commands.command_line import run
from tests.classifiers.commands.test_calibrate import FPR, write_rows
from tests.e2e.serving import served
from tests.guard_models import CLASSES, GuardModel


def by_chance(text: str) -> float:
    """A score that nothing but chance tells, the same for the same text."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32


@pytest.fixture(scope="module")
def model() -> GuardModel:
    return GuardModel(judge=by_chance)


@pytest.fixture(scope="module")
def url(model: GuardModel) -> Iterator[str]:
    with served(model) as address:
        yield address


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, url: str) -> Path:
    """Harmless conversations to calibrate and to check, and configurations before and after."""
    place = tmp_path_factory.mktemp("calibrate")
    rng = np.random.default_rng(0)
    write_rows(place / "benign.jsonl", rng, 300)
    write_rows(place / "unseen.jsonl", rng, 300)
    for name, more in (("plain", {}), ("calibrated", {"path": "calibration"})):
        keys = {"kind": "remote", "url": url, "model": "guard", "timeout_s": 60, **CLASSES}
        document = {
            "upstream": {"url": "http://127.0.0.1:9"},
            "detectors": {"guard": {**keys, **more}},
            "policies": [{"name": "guard", "detector": "guard", "action": "block"}],
        }
        (place / f"{name}.yaml").write_text(yaml.safe_dump(document))
    return place


def blocked(folder: Path, config: str) -> float:
    """The share of the unseen conversations that the configuration's policy blocks."""
    settings = load(folder / config)
    _, detectors = load_detectors(settings)
    policy = Policy.build(settings.policies[0], detectors["guard"])
    screener = Screener([policy], None, Metrics(), timeout=60)
    fired = [
        bool(screener.judge(request)[0].items)
        for request in read_conversations(str(folder / "unseen.jsonl"))
    ]
    screener.close()
    return float(np.mean(fired))


def test_the_rate_holds_on_unseen_conversations(folder: Path) -> None:
    options = ["--config", folder / "plain.yaml", "--benign", folder / "benign.jsonl"]
    out = ["--fpr", FPR, "--out", folder / "calibration"]
    assert run("calibrate", "guard", *options, *out) == 0
    assert blocked(folder, "calibrated.yaml") <= 1.3 * FPR < blocked(folder, "plain.yaml")


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("gard", 200, "no remote detector 'gard'; did you mean 'guard'?"),
        ("guard", 503, "status 503"),
    ],
)
def test_what_cannot_be_calibrated_is_one_sentence(
    name: str,
    answer: int,
    said: str,
    folder: Path,
    model: GuardModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model.status = answer
    options = ["--config", folder / "plain.yaml", "--benign", folder / "benign.jsonl"]
    assert run("calibrate", name, *options, "--out", tmp_path / "out") == 2
    model.status = 200
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_that_finds_everything_bad_has_no_threshold(
    folder: Path, model: GuardModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.judge = lambda _: 1.0
    options = ["--config", folder / "plain.yaml", "--benign", folder / "benign.jsonl"]
    assert run("calibrate", "guard", *options, "--fpr", FPR, "--out", tmp_path / "out") == 2
    model.judge = by_chance
    assert "no threshold holds the rate" in capsys.readouterr().err
