"""Training a malicious-prompt detector from sources to what serves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.malicious.gate.promotion import PromotionRefusedError
from classifiers.malicious.modes.table import MODES
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.malicious.training import train_malicious
from classifiers.prompts.labelled import LabelledPrompt
from guard.artifacts.folder import Artifact, read
from guard.artifacts.manifest import CARD, PAGE, REPORT
from guard.detectors.kinds import load_detector
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted_encoder import PlantedEncoder
from tests.classifiers.malicious.prompts import attacks, requests

SOURCES: Mapping[str, Sequence[LabelledPrompt]] = {
    "traffic": [
        replace(prompt, client=f"client-{number % 30}", label="unknown")
        for number, prompt in enumerate([*requests(300, 1), *attacks(30, 2)])
    ],
    "trusted": requests(240, 3, "benign"),
    "seeds": attacks(30, 4),
    "labelled": [*requests(120, 5, "benign"), *attacks(80, 6)],
    "validation": [*requests(160, 7, "benign"), *attacks(120, 8)],
}
RECIPE = MaliciousRecipe(
    name="planted",
    unlabelled=("traffic",),
    trusted_benign=("trusted",),
    malicious_seeds=("seeds",),
    labelled=("labelled",),
    validation=("validation",),
    fpr=0.03,
    generated=False,
    scan_evaluations=300,
    modes={"svd": {"epochs": 30, "hidden": 16, "learning_rate": 0.01}},
    attribution={"attacks": "our own generator"},
)


def train(out: Path, encoder: PlantedEncoder | None = None, **changes: object) -> Artifact:
    recipe = RECIPE.model_copy(update=changes)
    return train_malicious(recipe, encoder or PlantedEncoder(), out, read=SOURCES.__getitem__)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features and fits that the tests share; those about resuming have their own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Artifact:
    """All modes that read features side by side, `contrastive` written."""
    folder = tmp_path_factory.mktemp("compared") / "a"
    return train(folder, mode="contrastive", compare=True, cache=cache)


def report_of(artifact: Artifact) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(artifact.bytes_of(REPORT))
    return found


FEATURE_MODES = [name for name, mode in MODES.items() if mode.reads_features]


@pytest.mark.parametrize("mode", FEATURE_MODES)
def test_every_mode_makes_a_detector_that_serves(tmp_path: Path, cache: Path, mode: str) -> None:
    artifact = train(tmp_path / "a", mode=mode, cache=cache)
    encoder = PlantedEncoder()
    detector = load_detector(tmp_path / "a", encoder)
    unseen = [p.text for p in (*requests(300, 21), *attacks(300, 22))]
    fired = detector.score(unseen, encoder.encode(unseen)) >= detector.threshold
    assert fired[:300].mean() <= 0.06  # 0.03 aimed at, measured on 300 rows
    assert fired[300:].mean() > 0.9
    assert detector.calibration is not None
    assert len(detector.calibration.benign) == report_of(artifact)["threshold"]["rows"]
    assert artifact.manifest.recipe["mode"] == mode
    assert artifact.manifest.metrics["auroc"] > 0.95


def test_figures_are_those_of_the_prompts_that_measured(compared: Artifact) -> None:
    report = report_of(compared)
    rows = report["rows"]
    assert report["measured_on"] == ["test"]
    assert rows["selection"] + rows["test"] == 280
    recall, fpr = (report["modes"]["contrastive"][key] for key in ("recall", "fpr"))
    assert recall["rows"] + fpr["rows"] == rows["test"]
    fired = [row for row in report["sources"] if row["label"] == "malicious"]
    assert sum(r["fired"]["rows"] * r["fired"]["rate"] for r in fired) == pytest.approx(
        recall["rate"] * recall["rows"]
    )
    assert sum(b["rows"] for b in report["reliability"]) == rows["test"]
    assert rows["dropped_over_quota"] == 0


def test_the_guarantee_is_stated_where_it_holds(compared: Artifact, tmp_path: Path) -> None:
    report = report_of(compared)
    assert report["threshold"]["method"] == "neyman-pearson"
    assert report["threshold"]["guarantee"] == (
        "P(FPR > 0.03) <= 0.05 under exchangeability with the calibration prompts"
    )
    weaker = report_of(train(tmp_path / "b", mode="supervised", fpr=0.01))["threshold"]
    assert weaker["method"] == "conformal"
    assert "too few for a bound" in weaker["guarantee"]


def test_modes_and_baselines_side_by_side(compared: Artifact) -> None:
    report, artifact = report_of(compared), compared
    assert list(report["modes"]) == FEATURE_MODES
    assert report["mode"] == "contrastive"
    assert set(report["baselines"]) == {*("random", "length", "tf-idf", "mean difference", "kappa")}
    assert report["baselines"]["tf-idf"]["auroc"] > 0.9 > report["baselines"]["random"]["auroc"]
    page = artifact.bytes_of(PAGE).decode()
    for name in (*report["modes"], *report["baselines"]):
        assert f"<td>{name}</td>" in page
    assert f"{report['modes']['contrastive']['auroc']:.3f}" in page
    assert page.count("<img") == 4


def test_the_card_says_what_a_user_must_know(compared: Artifact) -> None:
    card = compared.bytes_of(CARD).decode()
    for words in ("P(FPR > 0.03) <= 0.05", "attacks: our own generator", "## Limits", "| recall |"):
        assert words in card
    assert not any(prompt.text in card for prompt in SOURCES["validation"])


def test_a_refusing_mode_is_reported_beside_the_others(tmp_path: Path) -> None:
    report = report_of(train(tmp_path / "a", compare=True, validation=()))
    assert "validation" in report["modes"]["svd"]["refused"]
    assert report["measured_on"] == ["calibration", "malicious_calibration"]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"mode": "svd", "validation": ()}, "validation: mode `svd`"),
        ({"mode": "contrastive", "unlabelled": ()}, "unlabelled: mode `contrastive`"),
        ({"mode": "contrastive", "malicious_seeds": ()}, "malicious_seeds or generated: mode"),
        ({"mode": "supervised", "labelled": ()}, "labelled: mode `supervised`"),
        ({"mode": "fine-tuned", "labelled": ()}, "labelled: mode `fine-tuned`"),
    ],
)
def test_what_a_mode_needs_is_named_before_anything_is_read(
    tmp_path: Path, changes: Mapping[str, object], missing: str
) -> None:
    recipe = RECIPE.model_copy(update=changes)
    with pytest.raises(ConfigError, match=f"{missing}.* needs it"):
        train_malicious(recipe, PlantedEncoder(), tmp_path / "out", read=SOURCES.__getitem__)
    assert not (tmp_path / "out").exists()


def test_a_mode_that_reads_features_needs_an_encoder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="encoder: mode `contrastive` needs it"):
        train_malicious(RECIPE, None, tmp_path / "out", read=SOURCES.__getitem__)


def test_members_vote_by_shards(tmp_path: Path) -> None:
    artifact = train(tmp_path / "a", shards=3)
    assert {"members.0.0.weight", "members.2.0.weight"} <= artifact.tensors().keys()
    assert artifact.manifest.metrics["auroc"] > 0.95


def test_an_interrupted_training_goes_on(tmp_path: Path) -> None:
    interrupted = PlantedEncoder()
    interrupted.fails_after = 900
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "a", interrupted)
    assert not (tmp_path / "a").exists()
    resumed, whole = PlantedEncoder(), PlantedEncoder()
    first = train(tmp_path / "a", resumed)
    second = train(tmp_path / "b", whole)
    assert 0 < resumed.encoded < whole.encoded
    assert first.manifest.digest == second.manifest.digest
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_a_cache_keeps_features_and_fits(tmp_path: Path, cache: Path, compared: Artifact) -> None:
    seconds = {name: one["seconds"] for name, one in report_of(compared)["modes"].items()}
    encoder = PlantedEncoder()
    again = train(tmp_path / "b", encoder, mode="contrastive", compare=True, cache=cache)
    assert encoder.encoded == 0
    assert again.manifest.digest == compared.manifest.digest
    # Fitted anew, a mode would hardly take as long to the hundredth of a second.
    assert {name: one["seconds"] for name, one in report_of(again)["modes"].items()} == seconds


def test_the_gate_lets_a_like_detector_pass_and_reports(
    tmp_path: Path, cache: Path, compared: Artifact
) -> None:
    report = report_of(
        train(tmp_path / "new", mode="supervised", in_service=compared.folder, cache=cache)
    )
    assert report["gate"]["passed"] is True
    assert {"trigger_scan", "canaries"} <= {check["name"] for check in report["gate"]["checks"]}
    assert "trigger_scan" not in report["gate"]  # it quotes traffic


def test_a_refused_detector_replaces_nothing(tmp_path: Path, cache: Path) -> None:
    train(tmp_path / "service", mode="supervised", cache=cache)
    before = read(tmp_path / "service").manifest
    # Trusted prompts that hold attacks push the threshold up, so that nothing fires any more.
    spoiled = {
        **SOURCES,
        "trusted": [*requests(100, 3), *(replace(p, label="benign") for p in attacks(140, 9))],
    }
    recipe = RECIPE.model_copy(update={"in_service": tmp_path / "service", "mode": "supervised"})
    with pytest.raises(PromotionRefusedError, match=r"refused: .*recall 0\.\d+, in service"):
        train_malicious(recipe, PlantedEncoder(), tmp_path / "service", read=spoiled.__getitem__)
    assert read(tmp_path / "service").manifest == before


def test_rows_without_signal_make_no_confident_detector(tmp_path: Path) -> None:
    report = report_of(train(tmp_path / "a", PlantedEncoder(strength=0.0), mode="supervised"))
    assert report["modes"]["supervised"]["auroc"] == pytest.approx(0.5, abs=0.15)
    assert np.isfinite(report["threshold"]["value"])
