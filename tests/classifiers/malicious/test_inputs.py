"""From sources to parts: labels, duplicates, quotas, what is held out, and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from classifiers.malicious.inputs import quota_warning, read_training_prompts
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.prompts import attacks, requests

SOURCES: Mapping[str, Sequence[LabelledPrompt]] = {
    "traffic": [*requests(300, 1), *attacks(20, 2)],
    "trusted": requests(200, 3, "benign"),
    "seeds": attacks(30, 4),
    "labelled": [*requests(100, 5, "benign"), *attacks(60, 6)],
    "validation": [*requests(60, 7, "benign"), *attacks(60, 8)],
}
RECIPE = MaliciousRecipe(
    generated=False,
    unlabelled=("traffic",),
    trusted_benign=("trusted",),
    malicious_seeds=("seeds",),
    validation=("validation",),
    quota=1,
)


def test_parts_share_no_prompt_and_traffic_has_no_label() -> None:
    found = read_training_prompts(RECIPE, SOURCES.__getitem__)
    texts = [prompt.text for part in found.parts.values() for prompt in part]
    assert len(texts) - len(set(texts)) == len(found.malicious_calibration)
    assert set(found.malicious_calibration) <= set(found.selection)
    assert {prompt.label for prompt in found.unlabelled} == {"unknown"}
    assert {prompt.label for prompt in found.test} == {"malicious", "benign"}
    assert found.data().keys() == found.parts.keys() - {"labelled", "generated"}
    assert found.counts()["calibration"] == len(found.calibration)


def test_near_duplicates_of_what_measures_are_not_learned_from() -> None:
    copied = SOURCES["validation"][0]
    traffic = [*SOURCES["traffic"], replace(copied, text=copied.text + " !", label="unknown")]
    found = read_training_prompts(RECIPE, {**SOURCES, "traffic": traffic}.__getitem__)
    assert copied.text + " !" not in {prompt.text for prompt in found.unlabelled}
    assert copied in {*found.selection, *found.test}


def test_a_client_is_held_to_its_quota() -> None:
    traffic = [replace(p, client="loud") for p in requests(150, 9)]
    sources = {**SOURCES, "traffic": [*traffic, *SOURCES["traffic"]]}
    found = read_training_prompts(RECIPE.updated({"quota": 0.001}), sources.__getitem__)
    assert sum(prompt.client == "loud" for prompt in found.unlabelled) == 20
    assert found.dropped["over_quota"] > 100


def test_an_operator_is_told_where_the_quota_drops_most_of_the_traffic() -> None:
    traffic = [replace(prompt, client="only") for prompt in requests(150, 9)]
    recipe = RECIPE.updated({"quota": 0.001})
    few = read_training_prompts(recipe, {**SOURCES, "traffic": traffic}.__getitem__)
    warning = quota_warning(few, recipe.quota)
    assert warning is not None
    assert f"{len(few.unlabelled)} are learned from" in warning
    assert quota_warning(read_training_prompts(RECIPE, SOURCES.__getitem__), 1) is None


def test_a_secret_draws_what_no_client_can_foresee(monkeypatch: pytest.MonkeyPatch) -> None:
    traffic = [replace(p, client="loud") for p in requests(150, 9)]
    sources = {**SOURCES, "traffic": [*traffic, *SOURCES["traffic"]]}
    recipe = RECIPE.updated({"quota": 0.001})

    def drawn(secret: str | None) -> set[str]:
        monkeypatch.setenv("DRAWING", secret or "")
        chosen = recipe.updated({"secret_env": "DRAWING"}) if secret else recipe
        found = read_training_prompts(chosen, sources.__getitem__)
        return {prompt.text for prompt in found.unlabelled if prompt.client == "loud"}

    assert drawn("one") == drawn("one")
    assert len({frozenset(drawn(secret)) for secret in ("one", "other", None)}) == 3
    with pytest.raises(ConfigError, match="MISSING"):
        read_training_prompts(recipe.updated({"secret_env": "MISSING"}), sources.__getitem__)


def test_shards_hold_every_row_once_and_clients_whole() -> None:
    traffic = [replace(p, client=f"c{n % 40}") for n, p in enumerate(requests(300, 10))]
    recipe = RECIPE.updated({"shards": 3})
    found = read_training_prompts(recipe, {**SOURCES, "traffic": traffic}.__getitem__)
    assert sorted(np.concatenate(found.shards).tolist()) == list(range(len(found.unlabelled)))
    clients = [{found.unlabelled[row].client for row in rows} for rows in found.shards]
    assert not clients[0] & clients[1]
    assert not clients[1] & clients[2]


def test_labelled_benign_prompts_stand_in_for_trusted_ones() -> None:
    recipe = MaliciousRecipe(mode="supervised", labelled=("labelled",), generated=False)
    found = read_training_prompts(recipe, SOURCES.__getitem__)
    assert {prompt.label for prompt in found.calibration} == {"benign"}
    assert {prompt.label for prompt in found.malicious_calibration} == {"malicious"}
    held = {*found.calibration, *found.malicious_calibration}
    assert not held & set(found.labelled)
    assert {prompt.label for prompt in found.labelled} == {"malicious", "benign"}


def test_a_labelled_set_may_be_given_for_one_class() -> None:
    found = read_training_prompts(
        RECIPE.updated({"malicious_seeds": ("labelled",)}), SOURCES.__getitem__
    )
    assert {prompt.label for prompt in found.malicious_seeds} == {"malicious"}


@pytest.mark.parametrize(
    ("changes", "sources", "message"),
    [
        ({"trusted_benign": ()}, {}, "trusted_benign: benign prompts that set the threshold"),
        (
            {},
            {"trusted": requests(30, 3, "benign")},
            r"trusted_benign: \d+ benign prompts are left to set the threshold, at least 20",
        ),
        ({}, {"validation": requests(30, 7)}, "validation: no prompt has a label"),
        ({}, {"seeds": requests(30, 7, "benign")}, "malicious_seeds: no prompt is malicious"),
    ],
)
def test_what_is_missing_is_named(
    changes: Mapping[str, object], sources: Mapping[str, Sequence[LabelledPrompt]], message: str
) -> None:
    recipe = RECIPE.model_copy(update=dict(changes))
    with pytest.raises(ConfigError, match=message):
        read_training_prompts(recipe, {**SOURCES, **sources}.__getitem__)
