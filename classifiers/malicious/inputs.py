"""From the sources of a recipe to the rows of a training: read, freed of duplicates, split.

What is held out is chosen here, before anything is learned.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from classifiers.malicious.data.generated import generated_prompts
from classifiers.malicious.data.held_out import Prompts, split_by_client, split_by_source
from classifiers.malicious.data.near_duplicates import leading_rows
from classifiers.malicious.data.prompt_parts import Rows, TrainingPrompts
from classifiers.malicious.data.quotas import LEAST, cap_clients
from classifiers.malicious.data.shards import partition
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.prompts.labelled import Label, LabelledPrompt
from guard.terms.errors import ConfigError

Read = Callable[[str], Sequence[LabelledPrompt]]

SET_NAMES = ("validation", "trusted_benign", "malicious_seeds", "labelled", "generated")
"""Looked at by people, or written by our own code. In this order the first of near duplicates is
kept: what measures goes before what teaches."""
FEWEST_CALIBRATION = 20
CALIBRATION_SHARE = 0.5
"""Of the trusted benign prompts; these set the threshold and teach nothing."""
TEST_SHARE = 0.5
"""Of the validation; these measure and never choose."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Unlabelled prompts, the rows of each shard, and how many were left out, by reason."""

    prompts: Prompts
    shards: tuple[Rows, ...]
    dropped: Mapping[str, int]


def read_training_prompts(recipe: MaliciousRecipe, read: Read) -> TrainingPrompts:
    """All prompts of a recipe, by use; ConfigError names the option that is missing or small."""
    if not recipe.trusted_benign and not recipe.labelled:
        raise ConfigError("trusted_benign: benign prompts that set the threshold are missing")
    sets = {
        name: _with_labels(name, _read(name, recipe, read)) for name in (*SET_NAMES, "unlabelled")
    }
    # Duplicates first: a text must not teach in one part and measure in another.
    looked_at, repeated = _distinct(sets, recipe.seed)
    traffic = _select_traffic(sets["unlabelled"], looked_at, recipe)
    sets |= looked_at
    labelled, trusted = sets["labelled"], sets["trusted_benign"]
    if not recipe.trusted_benign:
        # Labelled prompts stand in; those that set the threshold are then not learned from.
        trusted = tuple(prompt for prompt in labelled if prompt.label == "benign")
    calibration, taught = split_by_client(trusted, CALIBRATION_SHARE, f"{recipe.seed}")
    selection, test = split_by_source(sets["validation"], TEST_SHARE, f"{recipe.seed}")
    malicious, seeds, labelled = _malicious_calibration(
        selection, sets["malicious_seeds"], labelled, recipe
    )
    prompts = TrainingPrompts(
        unlabelled=traffic.prompts,
        trusted_benign=taught,
        malicious_seeds=seeds,
        labelled=_without(labelled, calibration),
        generated=sets["generated"],
        calibration=calibration,
        malicious_calibration=malicious,
        selection=selection,
        test=test,
        shards=traffic.shards,
        dropped={"near_duplicates": repeated, **traffic.dropped},
    )
    _check_sizes(prompts, recipe)
    return prompts


def _read(name: str, recipe: MaliciousRecipe, read: Read) -> list[LabelledPrompt]:
    if name == "generated":
        return generated_prompts(recipe.seed) if recipe.generated else []
    return [prompt for source in getattr(recipe, name) for prompt in read(source)]


def _with_labels(name: str, prompts: Sequence[LabelledPrompt]) -> Prompts:
    """The prompts of a set with the labels that the set gives or demands."""
    match name:
        case "unlabelled":
            return tuple(replace(prompt, label="unknown") for prompt in prompts)
        case "trusted_benign":
            return _all("trusted_benign", prompts, "benign")
        case "malicious_seeds":
            return _all("malicious_seeds", prompts, "malicious")
    kept = tuple(prompt for prompt in prompts if prompt.label != "unknown")
    if prompts and not kept:
        raise ConfigError(f"{name}: no prompt has a label (malicious or benign)")
    return kept


def _all(name: str, prompts: Sequence[LabelledPrompt], label: Label) -> Prompts:
    """Those that do not carry the other label: a labelled set may be given for one class."""
    kept = tuple(replace(p, label=label) for p in prompts if p.label in (label, "unknown"))
    if prompts and not kept:
        raise ConfigError(f"{name}: no prompt is {label}")
    return kept


def _distinct(sets: Mapping[str, Prompts], seed: int) -> tuple[dict[str, Prompts], int]:
    """The sets that people looked at, without near duplicates, and how many were left out."""
    names = [name for name in SET_NAMES for _ in sets[name]]
    prompts = [prompt for name in SET_NAMES for prompt in sets[name]]
    kept: dict[str, list[LabelledPrompt]] = {name: [] for name in SET_NAMES}
    for row in _leading_rows(prompts, seed):
        kept[names[row]].append(prompts[row])
    left = {name: tuple(rows) for name, rows in kept.items()}
    return left, len(prompts) - sum(map(len, left.values()))


def quota_warning(prompts: TrainingPrompts, share: float) -> str | None:
    """What an operator should know where the quota drops more than half of the traffic."""
    over, kept = prompts.dropped["over_quota"], len(prompts.unlabelled)
    if over <= kept:
        return None
    return (
        f"warning: quota: {over:,} of {over + kept:,} unlabelled prompts are more than their "
        f"client may have ({share:g} of all, at least {LEAST}); {kept:,} are learned from. "
        "Few clients send this traffic: raise `quota` where you trust them"
    )


def _select_traffic(
    unlabelled: Prompts, looked_at: Mapping[str, Prompts], recipe: MaliciousRecipe
) -> Traffic:
    """Unlabelled prompts after near duplicates and quotas, and the shards they fall into.

    Near duplicates are sought inside a shard, so that no client removes another's prompts there.
    """
    key = recipe.drawing_key
    clients, texts = [p.client for p in unlabelled], [p.text for p in unlabelled]
    before = [prompt for prompts in looked_at.values() for prompt in prompts]
    kept: list[tuple[int, LabelledPrompt]] = []
    for shard, rows in enumerate(partition(clients, texts, recipe.shards, key)):
        joined = [*before, *(unlabelled[row] for row in rows)]
        leading = [row for row in _leading_rows(joined, recipe.seed) if row >= len(before)]
        kept += [(shard, joined[row]) for row in leading]
    quota = cap_clients(
        [p.client for _, p in kept], [p.text for _, p in kept], key, share=recipe.quota
    )
    chosen = [kept[row] for row in quota.rows]
    return Traffic(
        tuple(prompt for _, prompt in chosen),
        tuple(
            np.array([row for row, (own, _) in enumerate(chosen) if own == shard], dtype=np.int_)
            for shard in range(recipe.shards)
        ),
        {
            "near_duplicate_traffic": len(unlabelled) - len(kept),
            "over_quota": quota.dropped,
        },
    )


def _leading_rows(prompts: Sequence[LabelledPrompt], seed: int) -> list[int]:
    if not prompts:
        return []
    return [int(row) for row in leading_rows([p.text for p in prompts], seed=seed)]


def _malicious_calibration(
    selection: Prompts, seeds: Prompts, labelled: Prompts, recipe: MaliciousRecipe
) -> tuple[Prompts, Prompts, Prompts]:
    """Malicious prompts that nothing learns from; then the seeds and labelled prompts left.

    Those of the validation's choosing part; without any, a fifth of the seeds or labelled ones.
    """
    chosen = tuple(prompt for prompt in selection if prompt.label == "malicious")
    if chosen:
        return chosen, seeds, labelled
    pool = seeds or tuple(prompt for prompt in labelled if prompt.label == "malicious")
    held, _ = split_by_client(pool, 0.2, f"malicious {recipe.seed}")
    return held, _without(seeds, held), _without(labelled, held)


def _without(prompts: Prompts, others: Prompts) -> Prompts:
    left_out = set(others)
    return tuple(prompt for prompt in prompts if prompt not in left_out)


def _check_sizes(prompts: TrainingPrompts, recipe: MaliciousRecipe) -> None:
    rows = len(prompts.calibration)
    if rows < FEWEST_CALIBRATION:
        name = "trusted_benign" if recipe.trusted_benign else "labelled"
        raise ConfigError(
            f"{name}: {rows} benign prompts are left to set the threshold, "
            f"at least {FEWEST_CALIBRATION} needed"
        )
