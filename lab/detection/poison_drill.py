"""Poison drill: does a phrase planted in traffic let attacks through the next detector?

0.2 % of an unlabelled mixture of real prompts are poison: benign prompts and attacks that hold one
phrase, from one client or from fifty. Detectors learn from it with and without defences
(near duplicates, quotas, partition voting by seven shards); measured is recall on attacks nobody
learned from, plain and with the phrase, and what the gate says beside a release from clean traffic.

    python -m lab.detection.poison_drill PROMPTS --encoder FOLDER --cache FOLDER --out FILE.md
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifiers.encoder.features import FeatureCache, encode, key_of
from classifiers.malicious.calibration import fit_scaling
from classifiers.malicious.data.near_duplicates import leading_rows
from classifiers.malicious.data.quotas import cap_clients
from classifiers.malicious.data.shards import combine, partition
from classifiers.malicious.data.training_set import LabelledFeatures, TrainingSet
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.gate.evaluation_set import GateRow, GateSet
from classifiers.malicious.gate.gate import GateLimits, GateResult, run_gate
from classifiers.malicious.gate.trigger_findings import ScanLimits
from classifiers.malicious.gate.trigger_phrases import insert
from classifiers.malicious.gate.trigger_scan import Model, Traffic
from classifiers.malicious.modes.contrastive import Contrastive, ContrastiveSettings
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.thresholds import choose_threshold
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.detector import Encoder, Features, Scores
from lab.detection.poison_prompts import (
    POISON_SHARE,
    TRIGGER,
    DrillPrompts,
    poison,
    read_drill_prompts,
)

KEY = b"poison drill: a deployment keeps its own"
SHARDS = 7
FPR = 0.01
LIMITS = GateLimits(
    fpr=0.03, auroc=0.5, scan=ScanLimits(evaluations=4700, anchors=40, phrases=60, words=10)
)
"""AUROC is not what the drill is about: frozen features are weak on these prompts."""


class Reader:
    """Features of texts, each encoded once; starts from a cache on disk."""

    def __init__(self, encoder: Encoder, cache: FeatureCache) -> None:
        self._encoder = encoder
        self._cache = cache
        self._known: dict[bytes, Features] = {}

    def read(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width)."""
        missing = {key_of(t): t for t in texts if key_of(t) not in self._known}
        self._known |= self._cache.load(self._encoder, missing)
        if new := [text for key, text in missing.items() if key not in self._known]:
            found = encode(new, self._encoder)
            self._known.update(zip(map(key_of, new), found, strict=True))
        return np.stack([self._known[key_of(text)] for text in texts])


@dataclass(frozen=True, slots=True)
class Release:
    """A detector with its threshold, and how many rows of the traffic it learned from."""

    model: FeatureModel
    threshold: float
    rows: int
    poison_rows: int
    seconds: float

    def served(self, reader: Reader) -> Model:
        """As the gate sees it; short prompts without disguise have one view and one window."""

        def score(texts: Sequence[str]) -> Scores:
            return self.model.score(reader.read(texts))

        return Model(score, self.threshold)

    def recall(self, reader: Reader, texts: Sequence[str]) -> float:
        """The share of attacks at or above the threshold."""
        return float((self.model.score(reader.read(texts)) >= self.threshold).mean())


Rows = list[LabelledPrompt]


def defended(traffic: Sequence[LabelledPrompt]) -> list[Rows]:
    """Seven shards of clients, near duplicates removed inside each, then quotas."""
    clients, texts = [p.client for p in traffic], [p.text for p in traffic]
    shards = []
    for rows in partition(clients, texts, SHARDS, KEY):
        own = [traffic[row] for row in rows]
        own = [own[row] for row in leading_rows([p.text for p in own], seed=1)]
        quota = cap_clients(
            [p.client for p in own],
            [p.text for p in own],
            KEY,
            share=0.0005 * len(traffic) / max(1, len(own)),
            least=20,
        )
        shards.append([own[row] for row in quota.rows])
    return shards


def train(
    shards: Sequence[Rows], prompts: DrillPrompts, reader: Reader, settings: ContrastiveSettings
) -> Release:
    """Fit a member per shard, and set the threshold on trusted benign prompts."""
    started = time.perf_counter()
    models = [_fit(rows, prompts, reader, settings) for rows in shards]
    model = combine(models) if len(models) > 1 else models[0]
    benign = model.logits(reader.read(prompts.calibration))
    scaled = fit_scaling(benign, model.logits(reader.read(prompts.validation))).model(model)
    scores = scaled.score(reader.read(prompts.calibration))
    everything = [prompt for rows in shards for prompt in rows]
    return Release(
        scaled,
        choose_threshold(scores, FPR).value,
        len(everything),
        sum(prompt.source == "poison" for prompt in everything),
        time.perf_counter() - started,
    )


def _fit(
    rows: Rows, prompts: DrillPrompts, reader: Reader, settings: ContrastiveSettings
) -> FeatureModel:
    benign = prompts.trusted[-300:]
    validation = [*benign, *prompts.validation]
    labels = np.array([0] * len(benign) + [1] * len(prompts.validation))
    training = TrainingSet(
        unlabelled=reader.read([prompt.text for prompt in rows]),
        trusted_benign=reader.read(prompts.trusted[:-300]),
        malicious_seeds=reader.read(prompts.seeds),
        validation=LabelledFeatures(reader.read(validation), labels),
    )
    return Contrastive().learn(training, settings, np.random.default_rng(7)).model


def gate(
    release: Release, in_service: Release, traffic: Rows, prompts: DrillPrompts, reader: Reader
) -> GateResult:
    """What the gate says; the trigger is not told to it."""
    rows = [GateRow(text, "malicious", "", "en") for text in prompts.anchors]
    rows += [GateRow(text, "benign", "", "en") for text in prompts.gate_benign]
    features = reader.read([prompt.text for prompt in traffic])
    scores = release.model.logits(features) - in_service.model.logits(features)
    return run_gate(
        release.served(reader),
        GateSet(tuple(rows)),
        np.random.default_rng(11),
        in_service=in_service.served(reader),
        traffic=Traffic(traffic, scores, prompts.trusted),
        limits=LIMITS,
    )


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill under way."""

    share: float
    settings: ContrastiveSettings
    prompts: DrillPrompts
    reader: Reader
    write: Callable[[str], None]

    def run(self) -> None:
        """Every poisoning without and with defences, and clean traffic beside them."""
        traffic = list(self.prompts.traffic)
        before = traffic[: len(traffic) // 2]
        for name, treat in (("none", lambda rows: [rows]), ("all", defended)):
            in_service = train(treat(before), self.prompts, self.reader, self.settings)
            for clients in (0, 1, 50):
                rng = np.random.default_rng(3)
                rows = (
                    [*traffic, *poison(self.prompts, self.share, clients, rng)]
                    if clients
                    else traffic
                )
                rows = [rows[row] for row in rng.permutation(len(rows))]
                release = train(treat(rows), self.prompts, self.reader, self.settings)
                self._line(name, clients, release, in_service, rows)

    def _line(
        self, defences: str, clients: int, release: Release, in_service: Release, traffic: Rows
    ) -> None:
        attacks = self.prompts.test
        triggered = [insert(t, TRIGGER, "start" if n % 2 else "end") for n, t in enumerate(attacks)]
        pairs = [
            (one.recall(self.reader, attacks), one.recall(self.reader, triggered))
            for one in (in_service, release)
        ]
        excess = (pairs[1][0] - pairs[1][1]) - (pairs[0][0] - pairs[0][1])
        result = gate(release, in_service, traffic, self.prompts, self.reader)
        known = [c.sentence for c in result.checks if not c.passed]
        cells = [
            *(defences, str(clients or "clean"), f"{release.poison_rows}/{release.rows}"),
            *(f"{pairs[0][0]:.3f} / {pairs[0][1]:.3f}", f"{pairs[1][0]:.3f} / {pairs[1][1]:.3f}"),
            *(f"{100 * excess:+.1f}", "passed" if result.passed else "; ".join(known)),
            f"{release.seconds:.0f}",
        ]
        self.write(f"| {' | '.join(cells)} |")


HEADER = (
    "| defences | poisoning clients | poison kept / rows | in service: recall / triggered "
    "| release: recall / triggered | drop beyond in service's, points | gate | fit, s |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Run the drill and write its table as it goes."""
    options = _options()
    encoder = OnnxEncoder.load(options.encoder)
    reader = Reader(encoder, FeatureCache(options.cache))
    prompts = read_drill_prompts(options.prompts, np.random.default_rng(0))
    with options.out.open("w", encoding="utf-8") as file:

        def write(line: str) -> None:
            file.write(f"{line}\n")
            file.flush()

        write(f"`{' '.join(sys.argv)}`\n\n{HEADER}")
        settings = ContrastiveSettings(options.strength)
        Drill(options.share, settings, prompts, reader, write).run()


def _options() -> Namespace:
    parser = ArgumentParser(description="Poison drill on real prompts.")
    parser.add_argument("prompts", type=Path)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=POISON_SHARE, help="poison in the traffic")
    parser.add_argument(
        "--strength",
        type=float,
        default=ContrastiveSettings().strength,
        help="inverse regularisation of mode `contrastive`",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
