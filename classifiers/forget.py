"""Trains the classifier of one forget request and writes it as the artifact that serving loads.

Prompts -> disguises and name swaps -> features -> logistic head -> threshold -> artifact. The
recipe follows ECO (arXiv 2406.07933, section 3: a binary prompt classifier, class-weighted, with a
threshold from held-out data) on a shared frozen encoder, so that a request takes seconds and
touches no other.

Everything reported is out of fold: five folds, no group of prompts in two of them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.augmentation import disguise, swap_names
from classifiers.features import FeatureCache, encode
from classifiers.forget_evaluation import Evaluation, evaluate
from classifiers.head import Head, cross_validate, fit_head
from classifiers.prompts import Prompt, dedupe, fingerprint
from guard.artifacts import Artifact, write
from guard.detectors.contract import Encoder, Features
from guard.detectors.forget import KIND, NAMES
from guard.detectors.phrases import PhraseList
from guard.errors import ConfigError
from guard.manifest import draft

FEWEST_FORGET, FEWEST_RETAIN = 5, 20


@dataclass(frozen=True, slots=True)
class ForgetRecipe:
    """How a forget classifier is trained.

    `fpr` is the false-positive rate allowed on held-out retain prompts, with `confidence` where
    they are enough; `fnr` the rate of missed forget prompts aimed at. Copies are per prompt.
    """

    fpr: float = 0.005
    fnr: float = 0.01
    confidence: float = 0.95
    forget_copies: int = 4
    retain_copies: int = 1
    swapped_copies: int = 4
    strengths: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What a head is fitted on: texts, labels (1 forget), groups and which are disguised."""

    texts: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    disguised: list[bool] = field(default_factory=list)

    def add(self, prompts: Sequence[Prompt], label: int, disguised: bool) -> None:
        for prompt in prompts:
            self.texts.append(prompt.text)
            self.labels.append(label)
            self.groups.append(prompt.group)
            self.disguised.append(disguised)


def train_forget(
    name: str,
    forget: Sequence[Prompt],
    retain: Sequence[Prompt],
    encoder: Encoder,
    out: Path,
    *,
    names: Sequence[str] = (),
    recipe: ForgetRecipe | None = None,
    cache: Path | None = None,
    progress: bool = False,
) -> Artifact:
    """Train and write the classifier of a request called `name`; returns the artifact.

    `names` are the request's names and aliases: evidence at serving, and what is swapped for
    strangers' names in training. `cache` is a folder for features. Raises ConfigError when there
    are too few prompts, or when retain prompts hold the names.
    """
    started = perf_counter()
    recipe = recipe or ForgetRecipe()
    forget, retain = _checked(forget, retain)
    rows = assemble(forget, retain, names, recipe)
    features = encode(
        rows.texts,
        encoder,
        cache=FeatureCache(cache) if cache else None,
        label="encoding" if progress else None,
    )
    head, evaluation = _fit(rows, features, names, recipe)
    seconds = perf_counter() - started
    return write(
        out,
        draft(
            KIND,
            name,
            encoder=encoder.digest,
            thresholds={"score": evaluation.threshold},
            metrics=evaluation.metrics,
            recipe=_recorded(recipe),
            data={"forget": fingerprint(forget), "retain": fingerprint(retain)},
        ),
        tensors={"weight": head.weight, "bias": np.array([head.bias], dtype=np.float32)},
        files={NAMES: orjson.dumps(list(names))},
        report={**evaluation.report(), "strength": head.strength, "seconds": round(seconds, 2)},
    )


def assemble(
    forget: Sequence[Prompt], retain: Sequence[Prompt], names: Sequence[str], recipe: ForgetRecipe
) -> TrainingRows:
    """All rows of a training run: prompts, their disguises, and name swaps as negatives."""
    companions = [prompt.text for prompt in retain if len(prompt.text) <= 300]
    rows = TrainingRows()
    rows.add(forget, 1, disguised=False)
    rows.add(retain, 0, disguised=False)
    rows.add(disguise(forget, recipe.forget_copies, companions, recipe.seed), 1, disguised=True)
    rows.add(disguise(retain, recipe.retain_copies, companions, recipe.seed), 0, disguised=True)
    swapped = swap_names(forget, names, recipe.swapped_copies, recipe.seed)
    rows.add(swapped, 0, disguised=True)
    return rows


def _checked(
    forget: Sequence[Prompt], retain: Sequence[Prompt]
) -> tuple[list[Prompt], list[Prompt]]:
    """Both sets without duplicates; a prompt in both is an error, as are too few."""
    forget, retain = dedupe(forget), dedupe(retain)
    for kind, prompts, fewest in (
        ("forget", forget, FEWEST_FORGET),
        ("retain", retain, FEWEST_RETAIN),
    ):
        groups = len({prompt.group for prompt in prompts})
        if groups < fewest:
            raise ConfigError(f"{kind} prompts: {groups} distinct groups, at least {fewest} needed")
    if len(dedupe([*forget, *retain])) < len(forget) + len(retain):
        raise ConfigError("retain prompts: at least one is among the forget prompts too")
    return forget, retain


def _fit(
    rows: TrainingRows, features: Features, names: Sequence[str], recipe: ForgetRecipe
) -> tuple[Head, Evaluation]:
    labels = np.array(rows.labels)
    folds = cross_validate(features, labels, rows.groups, recipe.strengths)
    matched = _name_scores(rows.texts, names)
    evaluation = evaluate(
        folds,
        labels,
        np.array(rows.disguised),
        matched,
        fpr=recipe.fpr,
        fnr=recipe.fnr,
        confidence=recipe.confidence,
    )
    return fit_head(features, labels, folds.strength), evaluation


def _name_scores(texts: Sequence[str], names: Sequence[str]) -> NDArray[np.float32]:
    return PhraseList(names).score(texts) if names else np.zeros(len(texts), dtype=np.float32)


def _recorded(recipe: ForgetRecipe) -> dict[str, JsonValue]:
    return {**asdict(recipe), "strengths": list(recipe.strengths)}
