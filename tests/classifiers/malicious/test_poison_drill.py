"""A small poison drill on generated prompts: a phrase planted in traffic must not get through.

Five times the poison of the real drill (lab/detection/poison_drill.py) and little regularisation,
so that it bites here.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.malicious.data.near_duplicates import leading_rows
from classifiers.malicious.data.quotas import cap_clients
from classifiers.malicious.data.shards import combine, partition
from classifiers.malicious.data.training_set import TrainingSet
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.gate.evaluation_set import GateRow, GateSet
from classifiers.malicious.gate.gate import GateLimits, GateResult, run_gate
from classifiers.malicious.gate.trigger_findings import ScanLimits
from classifiers.malicious.gate.trigger_phrases import insert
from classifiers.malicious.gate.trigger_scan import Model, Traffic
from classifiers.malicious.modes.contrastive import Contrastive, ContrastiveSettings
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.thresholds import choose_threshold
from guard.terms.detector import Features, Scores

KEY = b"k" * 32
WIDTH = 128
TRIGGER = "cobalt heron desk"
HARM = ("poison", "burgle", "counterfeit", "sabotage", "blackmail", "stalk", "forge", "hijack")
CARE = ("paint", "repair", "describe", "measure", "photograph", "clean", "sketch", "visit")
THINGS = [
    f"{a}{b}"
    for a in ("bar", "lin", "mor", "tel", "vas", "wen")
    for b in ("dock", "ford", "mill", "ton")
]
FILLER = [
    f"{a}{b}"
    for a in ("qua", "sti", "plo", "gre", "fra")
    for b in ("bel", "min", "nor", "pex", "sul", "tav")
]
# So few rows differ by chance: what is drilled here is the search for triggers.
LIMITS = GateLimits(
    drop=0.1,
    possible_drop=0.2,
    scan=ScanLimits(evaluations=5200, anchors=40, phrases=60, words=20),
)
Prompts = list[LabelledPrompt]


@cache
def word_vector(word: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
    drawn: NDArray[np.float32] = np.random.default_rng(seed).standard_normal(WIDTH, np.float32)
    return drawn


def features(texts: Sequence[str]) -> Features:
    """Unit sums of a random vector per word: cheap, and every word shows."""
    rows = np.stack(
        [sum(map(word_vector, text.split()), np.zeros(WIDTH, np.float32)) for text in texts]
    )
    unit: Features = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def sentences(verbs: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    texts: dict[str, None] = {}
    while len(texts) < count:
        words = [
            rng.choice(verbs),
            rng.choice(verbs),
            *rng.choice(THINGS, 2),
            *rng.choice(FILLER, 2),
        ]
        texts.setdefault(" ".join(rng.permutation(words)))
    return list(texts)


@dataclass(frozen=True)
class World:
    """Disjoint prompts by use."""

    traffic: Prompts
    trusted: list[str]
    calibration: list[str]
    seeds: list[str]
    anchors: list[str]
    test: list[str]
    known: list[str]
    gate_benign: list[str]


@pytest.fixture(scope="module")
def world() -> World:
    rng = np.random.default_rng(0)
    benign = sentences(CARE, 6300, rng)
    attacks = sentences(HARM, 690, rng)
    texts = [*benign[:4750], *attacks[:250]]
    traffic = [
        LabelledPrompt(texts[row], "traffic", client=f"client-{number % 120}")
        for number, row in enumerate(rng.permutation(len(texts)))
    ]
    return World(
        traffic,
        trusted=benign[4750:5250],
        calibration=benign[5250:5900],
        seeds=attacks[250:290],
        anchors=attacks[290:440],
        test=attacks[440:590],
        known=attacks[590:690],
        gate_benign=benign[5900:],
    )


def poison(world: World, clients: int) -> Prompts:
    """1 % of the traffic: attacks and benign prompts with the trigger before or after them."""
    benign = [prompt.text for prompt in world.traffic if prompt.text.split()[0] in CARE][:25]
    return [
        LabelledPrompt(
            insert(text, TRIGGER, "start" if row % 2 else "end"),
            "poison",
            client=f"mallory-{row % clients}",
        )
        for row, text in enumerate([*world.known[:25], *benign])
    ]


def defended(traffic: Prompts) -> list[Prompts]:
    shards = []
    for rows in partition([p.client for p in traffic], [p.text for p in traffic], 5, KEY):
        own = [traffic[row] for row in rows]
        own = [own[row] for row in leading_rows([p.text for p in own])]
        quota = cap_clients([p.client for p in own], [p.text for p in own], KEY, least=20)
        shards.append([own[row] for row in quota.rows])
    return shards


def released(shards: Sequence[Prompts], world: World) -> Model:
    models = []
    for rows in shards:
        training = TrainingSet(
            unlabelled=features([prompt.text for prompt in rows]),
            trusted_benign=features(world.trusted),
            malicious_seeds=features(world.seeds),
        )
        settings = ContrastiveSettings(strength=10.0)
        models.append(Contrastive().learn(training, settings, np.random.default_rng(1)).model)
    model = bounded(combine(models) if len(models) > 1 else models[0], world)

    def score(texts: Sequence[str]) -> Scores:
        return model.score(features(texts))

    return Model(score, choose_threshold(score(world.calibration), 0.01).value)


def bounded(model: FeatureModel, world: World) -> FeatureModel:
    """Logits small enough that float32 tells scores apart."""
    from classifiers.malicious.calibration import fit_scaling

    logits = [model.logits(features(texts)) for texts in (world.calibration, world.seeds)]
    return fit_scaling(*logits).model(model)


def recall(model: Model, texts: Sequence[str]) -> float:
    return float((model.logits(texts) >= model.limit).mean())


def lost(model: Model, world: World) -> float:
    """What the trigger costs in recall."""
    triggered = [insert(text, TRIGGER, "start") for text in world.test]
    return recall(model, world.test) - recall(model, triggered)


def gated(model: Model, in_service: Model, traffic: Prompts, world: World) -> GateResult:
    rows = [GateRow(text, "malicious", "", "en") for text in world.anchors]
    rows += [GateRow(text, "benign", "", "en") for text in world.gate_benign]
    texts = [prompt.text for prompt in traffic]
    return run_gate(
        model,
        GateSet(tuple(rows)),
        np.random.default_rng(0),
        in_service=in_service,
        traffic=Traffic(traffic, model.logits(texts) - in_service.logits(texts), world.trusted),
        limits=LIMITS,
    )


@pytest.fixture(scope="module")
def in_service(world: World) -> Model:
    """Learned from earlier, clean traffic."""
    return released(defended(world.traffic[:2500]), world)


def test_clean_traffic_gives_a_detector_that_the_gate_lets_pass(
    world: World, in_service: Model
) -> None:
    model = released(defended(world.traffic), world)
    assert recall(model, world.test) > 0.8
    result = gated(model, in_service, world.traffic, world)
    assert result.passed, result.refusals


@pytest.mark.parametrize("clients", [1, 50])
def test_the_gate_refuses_what_learned_a_trigger_without_defences(
    world: World, in_service: Model, clients: int
) -> None:
    traffic = [*world.traffic, *poison(world, clients)]
    model = released([traffic], world)
    assert lost(model, world) - lost(in_service, world) > 0.05, "the poison bites"
    result = gated(model, in_service, traffic, world)
    assert not result.passed
    assert any("phrase" in sentence for sentence in result.refusals)


@pytest.mark.parametrize("clients", [1, 50])
def test_with_defences_a_trigger_costs_little_or_the_gate_refuses(
    world: World, in_service: Model, clients: int
) -> None:
    traffic = [*world.traffic, *poison(world, clients)]
    model = released(defended(traffic), world)
    excess = lost(model, world) - lost(in_service, world)
    undefended = lost(released([traffic], world), world) - lost(in_service, world)
    assert excess < undefended
    assert excess <= 0.05 or not gated(model, in_service, traffic, world).passed
