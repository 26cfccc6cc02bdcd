"""Training a forget classifier: what is written is what serves, and bad input is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from classifiers.forget.training import Background, ForgetRecipe, train_forget
from classifiers.prompts.files import Prompt
from guard.artifacts.folder import Artifact, read
from guard.artifacts.manifest import REPORT
from guard.detectors.forget.detector import ForgetClassifier
from guard.detectors.kinds import load_detector
from guard.terms.errors import ConfigError
from tests.classifiers.questions import FORGOTTEN, forget_prompts, retain_prompts
from tests.encoders import WordEncoder

RECIPE = ForgetRecipe(requests=1, fpr=0.005, forget_copies=2, swapped_copies=1, strengths=(10.0,))


def train(out: Path, names: tuple[str, ...] = FORGOTTEN) -> Artifact:
    return train_forget(
        "varnholt",
        forget_prompts(),
        retain_prompts(),
        WordEncoder(),
        out,
        names=names,
        recipe=RECIPE,
    )


def test_the_served_detector_tells_forget_from_retain(tmp_path: Path) -> None:
    train(tmp_path / "a")
    encoder = WordEncoder()
    detector = load_detector(tmp_path / "a", encoder)
    asked = ["I would like to know where Ilse Varnholt was born.", "Who was Orvo Tandrup?"]
    harmless = ["I would like to know where Pia Rasmussen was born.", "What is 17 plus 4?"]
    scores = detector.score(asked + harmless, encoder.encode(asked + harmless))
    assert (scores[:2] >= detector.threshold).all()
    assert (scores[2:] < detector.threshold).all()


def test_manifest_and_report_say_how_it_was_made(tmp_path: Path) -> None:
    artifact = train(tmp_path / "a")
    manifest = read(tmp_path / "a", "forget").manifest
    assert manifest.encoder == WordEncoder().digest
    assert manifest.data["forget"].rows == 20
    assert manifest.recipe["fpr"] == RECIPE.fpr
    report = json.loads(artifact.bytes_of(REPORT))
    assert report["prompts"]["forget"] == 20
    assert report["prompts"]["retain"] == len(retain_prompts())
    assert report["prompts"]["fpr"] <= 0.01
    assert report["auroc_head"] > 0.95
    assert report["threshold"]["method"] == "tail"
    assert "Varnholt" not in json.dumps(report)


def test_the_same_input_gives_the_same_classifier(tmp_path: Path) -> None:
    assert train(tmp_path / "a").manifest.digest == train(tmp_path / "b").manifest.digest


def test_without_names_the_head_is_all_there_is(tmp_path: Path) -> None:
    artifact = train(tmp_path / "a", names=())
    assert artifact.bytes_of("names.json") == b"[]"
    report = json.loads(artifact.bytes_of(REPORT))
    assert report["prompts"] == report["prompts_head_alone"]


def test_known_prompts_without_a_name_have_exemplars(tmp_path: Path) -> None:
    artifact = train(tmp_path / "a", names=("Ilse Varnholt",))
    report = json.loads(artifact.bytes_of(REPORT))
    assert report["exemplars"] == {"count": 10, "ambiguous": 0}  # those about the other person
    assert report["known_missed"] == 0
    detector = ForgetClassifier.load(tmp_path / "a")
    asked = ["Where was Orvo Tandrup born?", "Where was Carl Ekholm born?"]
    assert (detector.score(asked, WordEncoder().encode(asked)) >= detector.threshold).tolist() == [
        True,
        False,
    ]


def test_last_names_are_served_and_counted(tmp_path: Path) -> None:
    artifact = train(tmp_path / "a")
    assert json.loads(artifact.bytes_of("lone_names.json")) == ["Varnholt", "Tandrup"]
    report = json.loads(artifact.bytes_of(REPORT))
    assert report["derived_names"] == {"served": 2, "common": 0, "in_retain": 0}


def test_a_background_is_as_good_as_retain_prompts_of_its_own(tmp_path: Path) -> None:
    background = Background.of(retain_prompts(), WordEncoder(), RECIPE)
    artifact = train_forget(
        "varnholt",
        forget_prompts(),
        (),
        WordEncoder(),
        tmp_path / "a",
        names=FORGOTTEN,
        recipe=RECIPE,
        background=background,
    )
    alone = train(tmp_path / "b")
    assert artifact.manifest.data == alone.manifest.data
    assert artifact.manifest.thresholds == alone.manifest.thresholds


def test_conformal_thresholds_say_what_they_promise(tmp_path: Path) -> None:
    recipe = replace(RECIPE, threshold="conformal", alpha=0.02)
    train_forget(
        *("varnholt", forget_prompts(), retain_prompts(), WordEncoder(), tmp_path / "a"),
        names=FORGOTTEN,
        recipe=recipe,
    )
    report = json.loads(read(tmp_path / "a", "forget").bytes_of(REPORT))
    assert report["threshold"]["method"] == "conformal"
    assert report["guarantee"]["false_positive"] == {"at_most": 0.02, "rows": 110}
    assert report["guarantee"]["false_negative"]["rows"] == 10
    assert report["prompts"]["retain"] == 110  # what was held back
    with pytest.raises(ConfigError, match=r"half of them held back: 110 benign rows are too few"):
        train_forget(
            *("varnholt", forget_prompts(), retain_prompts(), WordEncoder(), tmp_path / "b"),
            recipe=replace(recipe, alpha=0.001),
        )


def test_retain_prompts_that_hold_the_names_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too many hold one of the request's names"):
        train(tmp_path / "a", names=(*FORGOTTEN, "Pia Rasmussen"))


SOME = [Prompt(f"question number {number}", str(number)) for number in range(30)]


@pytest.mark.parametrize(
    ("forget", "retain", "message"),
    [
        (SOME[:4], SOME[4:], "forget prompts: 4 distinct groups, at least 5 needed"),
        (SOME[:8], SOME[8:20], "retain prompts: 12 distinct groups, at least 20 needed"),
        (SOME[:8], SOME[7:], "retain prompts: at least one is among the forget prompts too"),
        (SOME[:8], [Prompt(f"text {i}", "one") for i in range(30)], "retain prompts: 1 distinct"),
    ],
)
def test_unusable_prompts_are_named(
    tmp_path: Path, forget: list[Prompt], retain: list[Prompt], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        train_forget("x", forget, retain, WordEncoder(), tmp_path / "a")
    assert not (tmp_path / "a").exists()
