"""The figures of a TOFU evaluation, as JSON: by way of asking, against direct and retain model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from pydantic import JsonValue

from classifiers.evaluation.tofu.data import SETS, SetName, TofuData
from classifiers.evaluation.tofu.evaluation import Compared, Measured
from classifiers.evaluation.tofu.row_logs import (
    Logs,
    RowScores,
    SetFigures,
    model_utility,
    set_figures,
    truth_ratios,
)
from classifiers.evaluation.tofu.ways import DIRECT, RETAIN
from classifiers.statistics import unlearning_metrics as metrics
from classifiers.statistics.key_phrases import KnownAnswers

Figures = dict[str, JsonValue]
TIMES = (
    *("direct_ms_median", "proxy_ms_median", "added_ms_median"),
    *("direct_ms_p95", "proxy_ms_p95"),
)


def figures(data: TofuData, measured: Measured) -> Figures:
    """Everything that was measured; no question and no answer is in it."""
    known = KnownAnswers(data.known)
    sets = {way: _sets(data, logs, known) for way, logs in measured.logs.items()}
    retain = measured.logs.get(RETAIN)
    ratios = truth_ratios(retain["forget"]) if retain is not None else None
    ways: Figures = {
        way: _way(found, sets, truth_ratios(measured.logs[way]["forget"]), ratios)
        for way, found in sets.items()
    }
    return {
        "size": data.size,
        "rows": {name: len(data.sets[name]) for name in SETS},
        "ways": ways,
        "answers_corrupted_too": {
            way: _answers_too(scores, ratios) for way, scores in measured.answers_too.items()
        },
        "gate": {
            name: {"rows": len(data.sets[name]), "corrupted_or_blocked": count}
            for name, count in measured.gate.items()
        },
        "proxy_against_direct": {
            name: _compared(pairs, measured.timed_rows) for name, pairs in measured.compared.items()
        },
    }


def _sets(data: TofuData, logs: Logs, known: KnownAnswers) -> dict[SetName, SetFigures]:
    return {name: set_figures(name, data.sets[name], found, known) for name, found in logs.items()}


def _way(
    found: Mapping[SetName, SetFigures],
    sets: Mapping[str, Mapping[SetName, SetFigures]],
    ratios: Sequence[float] | None,
    retain_ratios: Sequence[float] | None,
) -> Figures:
    utility, reference = model_utility(found), model_utility(sets[DIRECT])
    forget, twin = found["forget"], sets.get(RETAIN, {}).get("forget")
    return {
        "sets": {name: asdict(values) for name, values in found.items()},
        "model_utility": utility,
        "utility_lost": None if utility is None or reference is None else reference - utility,
        "forget_quality": _quality(ratios, retain_ratios),
        "rouge_above_retain": forget.rouge - twin.rouge if twin else None,
        "probability_above_retain": (
            forget.probability - twin.probability
            if twin and forget.probability is not None and twin.probability is not None
            else None
        ),
    }


def _answers_too(scores: Sequence[RowScores], retain: Sequence[float] | None) -> Figures:
    ratios = [found.truth_ratio for found in scores]
    return {
        "rows": len(scores),
        "probability": float(np.mean([found.probability for found in scores])),
        "truth_ratio": float(metrics.folded(ratios).mean()),
        "forget_quality": _quality(ratios, retain[: len(ratios)] if retain is not None else None),
    }


def _quality(ratios: Sequence[float] | None, retain: Sequence[float] | None) -> JsonValue:
    if ratios is None or retain is None:
        return None
    quality = metrics.forget_quality(ratios, retain)
    return {
        **asdict(quality),
        "log10_raw": float(np.log10(max(quality.raw, np.finfo(np.float64).tiny))),
    }


def _compared(pairs: Sequence[Compared], timed_rows: int) -> Figures:
    counts: Figures = {"rows": len(pairs), "unchanged": sum(pair.same for pair in pairs)}
    if not (timed := pairs[:timed_rows]):
        return counts | dict.fromkeys(TIMES)
    direct = np.array([pair.direct_s for pair in timed]) * 1000
    proxy = np.array([pair.proxy_s for pair in timed]) * 1000
    return {
        **counts,
        "direct_ms_median": float(np.median(direct)),
        "proxy_ms_median": float(np.median(proxy)),
        "added_ms_median": float(np.median(proxy - direct)),
        "direct_ms_p95": float(np.percentile(direct, 95)),
        "proxy_ms_p95": float(np.percentile(proxy, 95)),
    }
