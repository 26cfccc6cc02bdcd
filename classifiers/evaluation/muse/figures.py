"""The figures of a MUSE evaluation, as JSON; none holds a text."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from classifiers.evaluation.muse.evaluation import Measured, StageMeasured
from classifiers.evaluation.muse.privacy import leakage_auc, privacy_leakage
from classifiers.evaluation.muse.rows import AskedRow

Figures = dict[str, JsonValue]
DIRECT, SERVED, PROXY, RETAIN = "direct", "as served", "proxy", "retain model"
NAMES: Mapping[str, str] = {
    "forget": "verbatim_forget",
    "held_out": "verbatim_held_out",
    "retain": "verbatim_retain",
    "forget_questions": "knowledge_forget",
    "retain_questions": "knowledge_retain",
}
"""Sets of rows and what their mean ROUGE-L F1 is called."""


def figures(ways: Mapping[str, Measured], stages: Sequence[StageMeasured], folds: int) -> Figures:
    """MUSE's criteria by way of asking, and over growing and successive requests."""
    aucs = {name: _auc(measured) for name, measured in ways.items()}
    return {
        "rows": {name: len(rows) for name, rows in ways[DIRECT].rows.items()},
        # Told by the guard's code in this process; an answer of the proxy does not say it.
        "corrupted": {name: corrupted_share(rows) for name, rows in ways[SERVED].rows.items()},
        "ways": {name: _way(found, aucs[name], aucs.get(RETAIN)) for name, found in ways.items()},
        **{
            kind: [_stage(found, folds) for found in stages if found.stage.kind == kind]
            for kind in ("scalability", "sustainability")
        },
    }


def mean_rouge(rows: Sequence[AskedRow]) -> float:
    """Mean ROUGE-L F1."""
    return float(np.mean([row.rouge for row in rows]))


def corrupted_share(rows: Sequence[AskedRow]) -> float:
    """Share of prompts that the guard changed or blocked."""
    return float(np.mean([row.corrupted for row in rows]))


def _way(measured: Measured, auc: float | None, retain_auc: float | None) -> Figures:
    return {
        **{NAMES[name]: mean_rouge(rows) for name, rows in measured.rows.items()},
        "leakage_auc": auc,
        "privacy_leakage": (
            None if auc is None or retain_auc is None else privacy_leakage(auc, retain_auc)
        ),
    }


def _auc(measured: Measured) -> float | None:
    """None where passages were not scored, or the guard refused to have some scored."""
    found = (measured.min_k.get(name, ()) for name in ("forget", "held_out"))
    scores = [np.asarray(values, np.float64) for values in found]
    if not all(values.size and np.isfinite(values).all() for values in scores):
        return None
    return leakage_auc(*scores)


def _stage(found: StageMeasured, folds: int) -> Figures:
    return {
        "requests": len(found.stage.artifacts),
        "share": found.stage.asked / folds,
        "verbatim_forget": mean_rouge(found.forget),
        "knowledge_forget": mean_rouge(found.forget_questions),
        "knowledge_retain": mean_rouge(found.retain_questions),
        "forget_corrupted": corrupted_share(found.forget),
        "retain_corrupted": corrupted_share(found.retain_questions),
    }
