"""Records of `unlabelled_modes.py` and their table."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np


class Record(TypedDict):
    """One method's figures in one draw."""

    arrangement: str
    ratio: int
    fold: int
    number: int
    method: str
    auroc: float
    tpr: float
    per_source: dict[str, float]
    seconds: float
    note: str


def summary(records: Sequence[Record]) -> str:
    """A table of means and standard deviations over folds and draws."""
    lines = []
    keys = dict.fromkeys((r["arrangement"], r["ratio"]) for r in records)
    for arrangement, ratio in keys:
        lines.append(f"\n{arrangement}, benign:malicious {ratio}:1")
        cell = [r for r in records if (r["arrangement"], r["ratio"]) == (arrangement, ratio)]
        for method in dict.fromkeys(r["method"] for r in cell):
            same = [r for r in cell if r["method"] == method]
            done = [r for r in same if not r["note"]]
            refused = f"  refused {len(same) - len(done)} of {len(same)}" * (done != same)
            lines.append(f"  {method:46s} {_figures(done)}{refused}")
    return "\n".join(lines)


def _figures(records: Sequence[Record]) -> str:
    if not records:
        return "-"
    areas, recalls = ([r[key] for r in records] for key in ("auroc", "tpr"))
    return (
        f"AUROC {np.mean(areas):.3f} sd {np.std(areas):.3f}   "
        f"TPR@1% {np.mean(recalls):.3f} sd {np.std(recalls):.3f}"
    )
