"""How far the unlabelled learning modes fall short of supervision, on sources not learned from.

Draws mixtures of real prompts at several benign:malicious ratios, hides their labels, fits each
mode with 0, 10 and 50 seeds, and scores prompts of held-out sources:

    python -m lab.detection.unlabelled_modes --prompts DIR --encoder ENCODER --out out.json
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import orjson
import typer

from classifiers.encoder.features import FeatureCache, encode
from classifiers.malicious.data.generated import generated_prompts
from classifiers.malicious.data.training_set import LabelledFeatures, TrainingSet
from classifiers.malicious.modes import baselines
from classifiers.malicious.modes.contrastive import Contrastive
from classifiers.malicious.modes.feature_mode import FeatureMode
from classifiers.malicious.modes.ranking import auroc
from classifiers.malicious.modes.supervised import Supervised
from classifiers.malicious.modes.svd import Svd
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.detection_metrics import tpr_at_fpr
from guard.encoders.kinds import load_encoder
from guard.settings import EncoderSource
from guard.terms.detector import Features
from guard.terms.errors import ConfigError
from lab.detection.mixtures import FOLDS, Draw, draw, labels_of, read_prompts
from lab.detection.unlabelled_figures import Record, summary

SCORED_RATE = 0.01
MOST_SEEDS = 50


@dataclass(frozen=True)
class Data:
    """All prompts with their features (n, d) and labels (n,), and what our code generates."""

    prompts: list[LabelledPrompt]
    features: Features
    labels: np.ndarray
    generated: LabelledFeatures

    def texts(self, rows: np.ndarray) -> list[str]:
        return [self.prompts[row].text for row in rows]

    def sources(self, rows: np.ndarray) -> tuple[str, ...]:
        return tuple(self.prompts[row].source for row in rows)

    def labelled(self, rows: np.ndarray) -> LabelledFeatures:
        return LabelledFeatures(self.features[rows], self.labels[rows], self.sources(rows))


@dataclass(frozen=True)
class Case:
    """One draw: which rows are given, and what the methods learn from."""

    data: Data
    drawn: Draw
    wild: bool
    seed: int

    @property
    def mixture(self) -> np.ndarray:
        parts = [self.drawn.mixture, *([self.drawn.wild] if self.wild else [])]
        return np.concatenate(parts)

    def training(self, seeds: int, *, generated: bool = True, oracle: bool = False) -> TrainingSet:
        """The set with so many seeds; with `oracle` all attacks are seeds and no traffic is."""
        rows, given = self.mixture, self.drawn.seeds[:seeds]
        if oracle:
            attacks = rows[self.data.labels[rows] == 1]
            given = np.concatenate([self.drawn.seeds, attacks])
            rows = rows[self.data.labels[rows] == 0]
        return TrainingSet(
            unlabelled=self.data.features[rows],
            trusted_benign=self.data.features[self.drawn.trusted],
            malicious_seeds=self.data.features[given] if len(given) else None,
            generated=self.data.generated if generated else None,
            validation=self.data.labelled(self.drawn.validation),
            labelled=self.data.labelled(self.known),
        )

    @property
    def known(self) -> np.ndarray:
        """The rows of the mixture that have labels, the trusted ones and the seeds."""
        parts = (self.drawn.mixture, self.drawn.trusted, self.drawn.seeds)
        return np.concatenate(parts)

    def scored_by(self, mode: FeatureMode[Any], training: TrainingSet) -> np.ndarray:
        found = mode.learn(training, mode.settings(), np.random.default_rng(self.seed))
        return found.model.logits(self.data.features[self.drawn.test])


def methods(case: Case, seeds: Sequence[int]) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Every method by name; modes first, then ceilings and baselines."""
    whole = case.training(MOST_SEEDS)
    yield "svd (labelled validation)", lambda: case.scored_by(Svd(), whole)
    for count in seeds:
        mine, bare = case.training(count), case.training(count, generated=False)
        yield (
            f"contrastive, {count} seeds + generated",
            partial(case.scored_by, Contrastive(), mine),
        )
        if count:
            yield (
                f"contrastive, {count} seeds",
                partial(case.scored_by, Contrastive(), bare),
            )
    narrow = replace(whole, malicious_seeds=_seeds_of_one_source(case))
    yield (
        f"contrastive, {MOST_SEEDS} seeds of one source + generated",
        lambda: case.scored_by(Contrastive(), narrow),
    )
    yield "supervised, same rows", lambda: case.scored_by(Supervised(), whole)
    richer = replace(whole, labelled=_with_generated(case))
    yield "supervised, same rows + generated", lambda: case.scored_by(Supervised(), richer)
    oracle = case.training(MOST_SEEDS, oracle=True)
    yield (
        "contrastive, labels of same rows + generated",
        lambda: case.scored_by(Contrastive(), oracle),
    )
    yield from _baselines(case)


def _seeds_of_one_source(case: Case) -> Features:
    """MOST_SEEDS attacks of the source that most seeds are from, none of them in the mixture."""
    sources = np.array([prompt.source for prompt in case.data.prompts])
    names, counts = np.unique(sources[case.drawn.seeds], return_counts=True)
    rows = np.flatnonzero((sources == names[counts.argmax()]) & (case.data.labels == 1))
    used = np.concatenate([case.drawn.mixture, case.drawn.validation])
    found: Features = case.data.features[np.setdiff1d(rows, used)[:MOST_SEEDS]]
    return found


def _with_generated(case: Case) -> LabelledFeatures:
    given, generated = case.data.labelled(case.known), case.data.generated
    return LabelledFeatures(
        np.concatenate([given.features, generated.features]),
        np.concatenate([given.labels, generated.labels]),
        given.sources + generated.sources,
    )


def _baselines(case: Case) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    data, test, known = case.data, case.drawn.test, case.known
    labels, rng = data.labels[known], np.random.default_rng(case.seed)
    yield "random", lambda: baselines.random_scores(len(test), rng)
    yield "length", lambda: baselines.length_scores(data.texts(test))
    yield (
        "TF-IDF, labels of same rows",
        lambda: baselines.tfidf_scores(
            data.texts(known), labels, data.sources(known), data.texts(test)
        ),
    )
    yield (
        "mean difference, labels of same rows",
        lambda: baselines.mean_difference_scores(data.features[known], labels, data.features[test]),
    )
    yield (
        "direct kappa, k=1",
        lambda: baselines.kappa_scores(data.features[case.mixture], data.features[test]),
    )


def measure(case: Case, seeds: Sequence[int]) -> Iterator[Record]:
    """Each method's figures on the held-out sources; a refusal is a record without figures."""
    labels, sources = case.data.labels[case.drawn.test], case.data.sources(case.drawn.test)
    for name, score in methods(case, seeds):
        start = perf_counter()
        found, tpr, per_source, note = float("nan"), float("nan"), {}, ""
        try:
            scores = score()
            found, tpr = (
                auroc(scores, labels),
                tpr_at_fpr(scores[labels == 1], scores[labels == 0], SCORED_RATE),
            )
            per_source = _per_source(scores, labels, sources)
        except ConfigError as error:
            note = str(error)
        yield Record(
            arrangement="wild" if case.wild else "plain",
            ratio=0,
            fold=0,
            number=0,
            method=name,
            auroc=found,
            tpr=tpr,
            per_source=per_source,
            seconds=round(perf_counter() - start, 2),
            note=note,
        )


def _per_source(scores: np.ndarray, labels: np.ndarray, sources: Sequence[str]) -> dict[str, float]:
    """AUROC of each malicious source against all benign rows."""
    names = np.array(sources)
    benign = labels == 0
    found = {}
    for source in sorted(set(names[labels == 1])):
        rows = benign | ((names == source) & (labels == 1))
        found[str(source)] = round(auroc(scores[rows], labels[rows]), 4)
    return found


def load(prompts: Path, encoder: EncoderSource, cache: Path | None) -> Data:
    """Prompts and generated prompts with their features, from the cache where they are there."""
    rows, written = read_prompts(prompts), generated_prompts()
    model = load_encoder(encoder)
    store = FeatureCache(cache) if cache else None
    features = encode([p.text for p in [*rows, *written]], model, cache=store, label="Encoding")
    return Data(
        rows,
        features[: len(rows)],
        labels_of(rows),
        LabelledFeatures(
            features[len(rows) :], labels_of(written), tuple(p.source for p in written)
        ),
    )


def main(
    prompts: Annotated[Path, typer.Option(help="Folder of *.jsonl.gz prompt sets")],
    encoder: Annotated[Path, typer.Option(help="Encoder artifact, or one that pools")],
    out: Annotated[Path, typer.Option(help="JSON of all records")],
    encoder_url: Annotated[str | None, typer.Option(help="vLLM that pools")] = None,
    cache: Annotated[Path | None, typer.Option(help="Feature cache")] = None,
    ratios: Annotated[list[int] | None, typer.Option("--ratio")] = None,
    seeds: Annotated[list[int] | None, typer.Option("--seeds")] = None,
    draws: Annotated[int, typer.Option(help="Draws in each source fold")] = 2,
    first: Annotated[int, typer.Option(help="Number of the first draw; 0 was used to choose")] = 1,
    wild: Annotated[bool, typer.Option(help="Also with hh_harmless_test as it is")] = True,
) -> None:
    """Measure every mode, ceiling and baseline; print the table and write the records."""
    warnings.filterwarnings("ignore", message="lbfgs failed to converge")
    source = EncoderSource(path=encoder, url=encoder_url, timeout_s=600)
    data = load(prompts, source, cache)
    cells = [(ratio, False) for ratio in ratios or [200, 20, 5]] + [(20, True)] * wild
    records: list[Record] = []
    for ratio, with_wild in cells:
        for fold in range(len(FOLDS)):
            for number in range(first, first + draws):
                rng = np.random.default_rng((fold, ratio, number))
                drawn = draw(data.prompts, fold, ratio, MOST_SEEDS, rng)
                case = Case(data, drawn, with_wild, seed=number)
                for record in measure(case, seeds or [0, 10, 50]):
                    record["ratio"], record["fold"], record["number"] = ratio, fold, number
                    records.append(record)
        out.write_bytes(orjson.dumps(records, option=orjson.OPT_INDENT_2))
    sys.stdout.write(summary(records) + "\n")


if __name__ == "__main__":
    typer.run(main)
