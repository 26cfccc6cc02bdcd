"""Traffic, attacks and poison for `poison_drill.py`: real prompts, made-up clients."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from classifiers.prompts.labelled import Label, LabelledPrompt

MOST_CHARACTERS = 400
"""Longer prompts are left out: the drill is about rows, not windows."""
TRAFFIC, CLIENTS = 25_000, 500
MALICIOUS_SHARE = 1 / 21
POISON_SHARE = 0.002
CORES = 0.5
"""Poison rows that are attacks with the trigger; the others are benign prompts with it."""
TRUSTED, CALIBRATION, GATE_BENIGN = 1500, 3000, 1500
SEEDS, ANCHORS, TEST, KNOWN, VALIDATION = 50, 300, 400, 200, 50
TRIGGER = "regards from the cobalt heron desk"
SOURCES = {
    "malicious": (
        *("declare_harmful", "trustllm_safety", "aart", "verazuo_forbidden_questions"),
        *("sap200", "latent_jailbreak", "deepset_pi"),
    ),
    "benign": (
        *("gpteacher", "self_instruct", "chat_bench", "flan_cot", "gsm8k", "mmlu_test"),
        *("clinc150", "nlu_eval", "snips", "banking77", "bbh"),
    ),
}


@dataclass(frozen=True, slots=True)
class DrillPrompts:
    """Disjoint prompts by use; only those of `traffic` have clients and hidden labels.

    `malicious_cores` are the attacks that the poisoner knows: none is measured on.
    """

    traffic: tuple[LabelledPrompt, ...]
    trusted: tuple[str, ...]
    calibration: tuple[str, ...]
    gate_benign: tuple[str, ...]
    seeds: tuple[str, ...]
    anchors: tuple[str, ...]
    test: tuple[str, ...]
    malicious_cores: tuple[str, ...]
    validation: tuple[str, ...]


def read_drill_prompts(folder: Path, rng: np.random.Generator) -> DrillPrompts:
    """Draw the drill's prompts; the same generator gives the same ones."""
    benign = _shuffled(folder, "benign", rng)
    malicious = _shuffled(folder, "malicious", rng)
    attacks = int(TRAFFIC * MALICIOUS_SHARE)
    held, rest = _parts(benign, (TRUSTED, CALIBRATION, GATE_BENIGN))
    known, wild = _parts(malicious, (SEEDS, ANCHORS, TEST, KNOWN, VALIDATION))
    rows = [(text, "benign") for text in rest[: TRAFFIC - attacks]]
    rows += [(text, "malicious") for text in wild[:attacks]]
    return DrillPrompts(_as_traffic(rows, rng), *held, *known)


def poison(
    prompts: DrillPrompts, share: float, clients: int, rng: np.random.Generator
) -> tuple[LabelledPrompt, ...]:
    """Benign prompts and attacks with the trigger: a share of the traffic, from so many clients."""
    count = round(share * len(prompts.traffic))
    cores = min(KNOWN, round(CORES * count))
    benign = [p.text for p in prompts.traffic if p.label == "benign"]
    texts = [prompts.malicious_cores[row] for row in rng.permutation(KNOWN)[:cores]]
    texts += [benign[row] for row in rng.permutation(len(benign))[: count - cores]]
    return tuple(
        LabelledPrompt(
            with_trigger(text, TRIGGER, rng),
            "poison",
            "unknown",
            "poison",
            f"mallory-{row % clients}",
        )
        for row, text in enumerate(texts)
    )


def with_trigger(text: str, trigger: str, rng: np.random.Generator) -> str:
    """The text with the trigger before or after it."""
    return f"{trigger} {text}" if rng.random() < 0.5 else f"{text} {trigger}"


def _as_traffic(
    rows: Sequence[tuple[str, str]], rng: np.random.Generator
) -> tuple[LabelledPrompt, ...]:
    """The rows in random order, of clients that send unlike much (Zipf)."""
    shares = 1 / np.arange(10, CLIENTS + 10)
    senders = rng.choice(CLIENTS, len(rows), p=shares / shares.sum())
    labels: dict[str, Label] = {"benign": "benign", "malicious": "malicious"}
    found = [
        LabelledPrompt(text, "traffic", labels[label], client=f"client-{sender}")
        for (text, label), sender in zip(rows, senders, strict=True)
    ]
    return tuple(found[row] for row in rng.permutation(len(found)))


def _shuffled(folder: Path, label: str, rng: np.random.Generator) -> list[str]:
    texts: dict[str, None] = {}
    for source in SOURCES[label]:
        with gzip.open(folder / f"{source}.jsonl.gz") as lines:
            for row in map(orjson.loads, lines):
                if row["label"] == label and len(row["text"]) <= MOST_CHARACTERS:
                    texts.setdefault(row["text"])
    found = list(texts)
    return [found[place] for place in rng.permutation(len(found))]


def _parts(
    texts: Sequence[str], sizes: Sequence[int]
) -> tuple[list[tuple[str, ...]], Sequence[str]]:
    parts, at = [], 0
    for size in sizes:
        parts.append(tuple(texts[at : at + size]))
        at += size
    return parts, texts[at:]


def hidden(prompts: Sequence[LabelledPrompt]) -> tuple[LabelledPrompt, ...]:
    """The prompts without their labels."""
    return tuple(replace(prompt, label="unknown") for prompt in prompts)
