"""The protocol of the leave-sources-out bench: groups, generated rows, collected logits."""

import gzip
from pathlib import Path

import numpy as np
import orjson

from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.cross_validation import WindowLogits
from lab.detection.leave_sources_out import (
    GENERATED,
    GROUPS,
    collect,
    fold_file,
    fold_of,
    generated_held_out,
    measured_prompts,
    read_sets,
    save_logits,
)


def test_no_source_stands_in_two_groups() -> None:
    names = [name for group in GROUPS for name in group]
    assert len(names) == len(set(names))


def test_generated_rows_are_of_no_group() -> None:
    rows = generated_held_out()
    assert {fold_of(row) for row in rows} == {GENERATED}
    assert {row.label for row in rows} == {"benign", "malicious"}


def test_sets_are_read_once_each_and_unknown_sources_left_out(tmp_path: Path) -> None:
    def write(name: str, *rows: dict[str, str]) -> None:
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wb") as file:
            file.write(b"\n".join(orjson.dumps(row) for row in rows))

    copy = {"text": "How is it done?", "label": "malicious", "kind": "harmful_request"}
    write("trustllm_safety", {**copy, "source": "trustllm_safety"})
    write("verazuo_forbidden_questions", {**copy, "source": "verazuo_forbidden_questions"})
    write("strange", {**copy, "text": "Something else", "source": "strange"})
    found = read_sets(tmp_path)
    assert [row.source for row in found] == ["verazuo_forbidden_questions"]


def test_attacks_are_measured_within_padding_too_in_the_order_of_its_sizes() -> None:
    rows = [LabelledPrompt(f"do harm {n}", "aart", "malicious", "x") for n in range(3)]
    rows += [LabelledPrompt("hello", "snips", "benign", "x")]
    measured, padded = measured_prompts(rows)
    assert len(padded) == 3
    assert sorted(row for forms in padded.values() for row in forms) == list(
        range(len(measured) - 6, len(measured))
    )
    for row, (short, long) in padded.items():
        assert measured[row].text in measured[short].text
        assert 400 < len(measured[short].text) < 450 < len(measured[long].text)
        assert fold_of(measured[row]) == fold_of(measured[long]) == 1


def test_each_row_gets_the_score_of_the_fold_that_held_it_out(tmp_path: Path) -> None:
    measured = [LabelledPrompt(s, s, "benign") for s in ("sap200", "bbh", "twins")]
    folds = np.array([fold_of(row) for row in measured])
    for number in range(len(GROUPS)):
        owners = np.array([i for i, fold in enumerate(folds) if fold in (number, GENERATED)])
        values = np.full(len(owners), number, dtype=np.float32)
        nothing = np.zeros_like(values)
        windows = np.zeros(len(owners), dtype=np.bool_)
        save_logits(
            fold_file(tmp_path, number), WindowLogits(values, nothing, nothing, owners, windows)
        )
    of_all = collect(tmp_path, measured, folds, FineTuning())
    assert of_all.tolist() == [1.0, 4.0, 2.0]
