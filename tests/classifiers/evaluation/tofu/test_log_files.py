"""Logs that other tools read, and the retain model's that we read."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from classifiers.evaluation.tofu.data import TofuData, read_tofu
from classifiers.evaluation.tofu.log_files import (
    AGGREGATED,
    KEYS,
    OPEN_UNLEARNING,
    read_logs,
    write_logs,
)
from classifiers.evaluation.tofu.row_logs import Logs, RowLog
from guard.terms.errors import ConfigError
from tests.classifiers.evaluation.tofu.files import write_files
from tests.classifiers.evaluation.tofu.test_row_logs import scores


@pytest.fixture
def data(tmp_path: Path) -> TofuData:
    return read_tofu(write_files(tmp_path / "data"), "01")


def logs_of(data: TofuData) -> Logs:
    return {
        name: [RowLog(row.answer, scores(0.5, 0.4, 0.1, 0.2)) for row in rows]
        for name, rows in data.sets.items()
    }


def test_what_is_written_is_read_back_row_for_row(tmp_path: Path, data: TofuData) -> None:
    written = logs_of(data)
    write_logs(tmp_path, data, written)
    read = read_logs(tmp_path / AGGREGATED, data)

    assert read.keys() == written.keys()
    for name, rows in written.items():
        assert [log.generated for log in read[name]] == [log.generated for log in rows]
        for ours, theirs in zip(read[name], rows, strict=True):
            assert ours.scores is not None
            assert theirs.scores is not None
            assert ours.scores.truth_ratio == theirs.scores.truth_ratio  # to the last bit


def test_the_columns_are_those_of_tofu(tmp_path: Path, data: TofuData) -> None:
    write_logs(tmp_path, data, logs_of(data))
    columns = orjson.loads((tmp_path / AGGREGATED).read_bytes())[KEYS["forget"]]

    assert columns["generated_text"]["1"] == [
        "Where was Bram Ostler born?",
        "Bram Ostler was born in Old Harrow.",
        "Bram Ostler was born in Old Harrow.",
    ]
    assert columns["rougeL_recall"]["1"] == 1.0
    assert columns["gt_loss"]["1"] == pytest.approx(4 * columns["avg_gt_loss"]["1"])
    assert len(columns["average_perturb_loss"]["1"]) == 2
    # exp(mean of the losses of correct minus perturbed) = (.1 * .2)^(1/2) / .4
    assert columns["truth_ratio"]["1"] == pytest.approx((0.1 * 0.2) ** 0.5 / 0.4)


def test_open_unlearning_gets_values_by_index(tmp_path: Path, data: TofuData) -> None:
    write_logs(tmp_path, data, logs_of(data))
    found = orjson.loads((tmp_path / OPEN_UNLEARNING).read_bytes())

    assert found["forget_truth_ratio"]["value_by_index"]["2"]["score"] == pytest.approx(
        (0.1 * 0.2) ** 0.5 / 0.4
    )
    assert found["forget_Q_A_Prob"]["agg_value"] == pytest.approx(0.5)
    assert found["retain_Q_A_ROUGE"]["agg_value"] == 1.0
    assert {"ra_Q_A_Prob", "wf_truth_ratio"} <= found.keys()


def test_a_model_that_was_not_scored_has_only_its_words(tmp_path: Path, data: TofuData) -> None:
    write_logs(tmp_path, data, {"forget": [RowLog("no")] * 3})
    columns = orjson.loads((tmp_path / AGGREGATED).read_bytes())[KEYS["forget"]]
    assert set(columns) == {"generated_text", "rouge1_recall", "rougeL_recall"}
    with pytest.raises(ConfigError, match="row 0 is missing"):
        read_logs(tmp_path / AGGREGATED, data)


def _drop_row(content: dict[str, Any]) -> None:
    del content[KEYS["forget"]]["avg_gt_loss"]["2"]


def _other_question(content: dict[str, Any]) -> None:
    content[KEYS["forget"]]["generated_text"]["0"] = ["Where is it?", "a", "b"]


def _no_forget(content: dict[str, Any]) -> None:
    del content[KEYS["forget"]]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (_drop_row, "row 2 is missing"),
        (_other_question, "row 0 is of another question"),
        (_no_forget, "has no eval_log_forget.json"),
    ],
)
def test_logs_of_something_else_are_refused(
    tmp_path: Path, data: TofuData, damage: Any, problem: str
) -> None:
    write_logs(tmp_path, data, logs_of(data))
    content = orjson.loads((tmp_path / AGGREGATED).read_bytes())
    damage(content)
    (tmp_path / AGGREGATED).write_bytes(orjson.dumps(content))
    with pytest.raises(ConfigError, match=problem):
        read_logs(tmp_path / AGGREGATED, data)


def test_a_file_that_is_none_is_named(tmp_path: Path, data: TofuData) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_logs(tmp_path / "none.json", data)
    (tmp_path / "none.json").write_text("[")
    with pytest.raises(ConfigError, match="not JSON"):
        read_logs(tmp_path / "none.json", data)
