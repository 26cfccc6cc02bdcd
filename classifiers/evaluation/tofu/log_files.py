"""Logs in the formats of other tools: TOFU's eval_log_aggregated.json, open-unlearning's TOFU_EVAL.

Rows stand in file order under their index, numbers in float64, and no row is left out: forget
quality compares two files row for row. The first format holds questions and answers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from classifiers.evaluation.tofu.data import SETS, SetName, TofuData, TofuRow
from classifiers.evaluation.tofu.row_logs import Logs, RowLog, RowScores
from classifiers.statistics import unlearning_metrics as metrics
from classifiers.statistics.unlearning_metrics import AnswerScore
from guard.terms.errors import ConfigError

AGGREGATED, OPEN_UNLEARNING = "eval_log_aggregated.json", "TOFU_EVAL.json"
KEYS: Mapping[SetName, str] = {
    "retain": "eval_log.json",
    "forget": "eval_log_forget.json",
    "real_authors": "eval_real_author_wo_options.json",
    "world_facts": "eval_real_world_wo_options.json",
}


def write_logs(folder: Path, data: TofuData, logs: Logs) -> None:
    """Both files, for a model that was scored on every set it was asked."""
    folder.mkdir(parents=True, exist_ok=True)
    tofu = {KEYS[name]: _columns(data.sets[name], found) for name, found in logs.items()}
    (folder / AGGREGATED).write_bytes(_json(tofu))
    (folder / OPEN_UNLEARNING).write_bytes(_json(_open_unlearning(data, logs)))


def read_logs(file: Path, data: TofuData) -> dict[SetName, list[RowLog]]:
    """The logs in a file of TOFU's format; it may hold more rows of a set than `data` has.

    Raises ConfigError naming file and key where a set has fewer rows, or of another question.
    """
    try:
        content = orjson.loads(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{file}: not JSON ({error.msg})") from error
    found: dict[SetName, list[RowLog]] = {}
    for name in SETS:
        if isinstance(content, dict) and KEYS[name] in content:
            rows = data.sets[name]
            found[name] = [
                _row_log(f"{file}: {KEYS[name]}", content[KEYS[name]], index, row)
                for index, row in enumerate(rows)
            ]
    if "forget" not in found:
        raise ConfigError(f"{file}: has no {KEYS['forget']}")
    return found


def _columns(rows: Sequence[TofuRow], logs: Sequence[RowLog]) -> dict[str, dict[str, Any]]:
    """TOFU's columns, each by row index."""
    columns: dict[str, dict[str, Any]] = {}
    for index, (row, log) in enumerate(zip(rows, logs, strict=True)):
        for column, value in _values(row, log).items():
            columns.setdefault(column, {})[str(index)] = value
    return columns


def _values(row: TofuRow, log: RowLog) -> dict[str, Any]:
    values: dict[str, Any] = {
        "generated_text": [row.question, log.generated, row.answer],
        "rouge1_recall": metrics.rouge_recall(row.answer, log.generated, "rouge1"),
        "rougeL_recall": metrics.rouge_recall(row.answer, log.generated),
    }
    scores = log.scores
    if scores is None:
        return values
    wrong = scores.perturbed
    return values | {
        "avg_gt_loss": -scores.answer.logprob,
        "gt_loss": -scores.answer.logprob * scores.answer.tokens,
        "num_token_gt": scores.answer.tokens,
        "avg_paraphrased_loss": -scores.correct.logprob,
        "paraphrased_loss": -scores.correct.logprob * scores.correct.tokens,
        "num_token_paraphrased": scores.correct.tokens,
        "average_perturb_loss": [-score.logprob for score in wrong],
        "perturb_loss": [-score.logprob * score.tokens for score in wrong],
        "num_token_perturb": [score.tokens for score in wrong],
        "truth_ratio": scores.truth_ratio,
        "normalized_gt_loss": -np.log(scores.normalised_probability),
    }


def _row_log(place: str, columns: Any, index: int, row: TofuRow) -> RowLog:
    """One row of TOFU's columns; ConfigError where it is missing or of another question."""
    at = str(index)
    try:
        question, generated, gold = columns["generated_text"][at]
        answer, correct = columns["avg_gt_loss"][at], columns["avg_paraphrased_loss"][at]
        wrong = columns["average_perturb_loss"][at]
        scores = RowScores(
            AnswerScore(-float(answer), _tokens(columns, "num_token_gt", at)),
            AnswerScore(-float(correct), _tokens(columns, "num_token_paraphrased", at)),
            tuple(AnswerScore(-float(loss), 0) for loss in wrong),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{place}: row {index} is missing or malformed ({error!r:.80})") from None
    if row.question not in question or str(gold).strip() != row.answer.strip():
        raise ConfigError(f"{place}: row {index} is of another question: another size or order?")
    return RowLog(str(generated), scores)


def _tokens(columns: Any, name: str, at: str) -> int:
    found = columns.get(name, {}).get(at, 0)
    return int(found) if isinstance(found, int | float) else 0


def _open_unlearning(data: TofuData, logs: Logs) -> dict[str, Any]:
    prefixes: Mapping[SetName, str] = {
        "forget": "forget",
        "retain": "retain",
        "real_authors": "ra",
        "world_facts": "wf",
    }
    document: dict[str, Any] = {}
    for name, found in logs.items():
        prefix = prefixes[name]
        pairs = list(zip(data.sets[name], found, strict=True))
        rouge = [metrics.rouge_recall(row.answer, log.generated) for row, log in pairs]
        document[f"{prefix}_Q_A_ROUGE"] = _metric(rouge, [{"rougeL_recall": r} for r in rouge])
        scores = [log.scores for log in found if log.scores is not None]
        if len(scores) < len(found):
            continue
        probabilities = [score.probability for score in scores]
        losses = [-score.answer.logprob for score in scores]
        document[f"{prefix}_Q_A_Prob"] = _metric(
            probabilities,
            [
                {"prob": prob, "avg_loss": loss}
                for prob, loss in zip(probabilities, losses, strict=True)
            ],
        )
        ratios = [score.truth_ratio for score in scores]
        fold = metrics.folded if name == "forget" else metrics.truthfulness
        document[f"{prefix}_truth_ratio"] = _metric(
            fold(ratios).tolist(), [{"score": ratio} for ratio in ratios]
        )
    return document


def _metric(values: Sequence[float], rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {
        "agg_value": float(np.mean(values)),
        "value_by_index": {str(index): row for index, row in enumerate(rows)},
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
