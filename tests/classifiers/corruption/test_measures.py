"""Distances count in both directions, by weight and scale."""

from dataclasses import replace

import numpy as np
import pytest

from classifiers.corruption.measures import (
    BY_ATTACK,
    METRICS,
    SAMPLED,
    SCALES,
    WEIGHTS,
    Measurer,
    distance,
    means,
    measurable,
)
from classifiers.corruption.questions import ForgetQuestion
from classifiers.model_server.endpoint import ModelEndpoint
from classifiers.model_server.sampling import Sampling
from classifiers.statistics.unlearning_metrics import rouge_recall
from tests.chat_server import ChatServer

REFERENCE = {"rouge": 0.4, "leak": 0.02}


def test_worse_than_never_learned_is_as_far_as_better() -> None:
    above = distance({"rouge": 0.5, "leak": 0.02}, REFERENCE, {})
    below = distance({"rouge": 0.3, "leak": 0.02}, REFERENCE, {})
    assert above == pytest.approx(below) == pytest.approx(2 / np.sqrt(2))
    assert distance(REFERENCE, REFERENCE, {}) == 0


def test_leaks_count_above_the_reference_only() -> None:
    assert distance({"rouge": 0.4, "leak": 0.0}, REFERENCE, {}) == 0
    assert distance({"rouge": 0.4, "leak": 0.06}, REFERENCE, {}) == pytest.approx(2 / np.sqrt(2))


def test_what_a_corruption_of_prompts_cannot_move_weighs_nothing_unless_told() -> None:
    learned = {"rouge": 0.4, "leak": 0.0, "probability": 0.4}
    reference = {**REFERENCE, "probability": 0.001}
    assert distance(learned, reference, WEIGHTS) == 0
    assert distance(learned, reference, {**WEIGHTS, "probability": 1.0}) > 4


def test_weights_and_scales() -> None:
    off = {"rouge": 0.5, "leak": 0.06}
    assert distance(off, REFERENCE, {"leak": 0.0}) == pytest.approx(2)
    assert distance(off, REFERENCE, {"leak": 3.0}) == pytest.approx(2)
    assert distance(off, REFERENCE, {"leak": 0.0}, {**SCALES, "rouge": 0.1}) == pytest.approx(1)
    with pytest.raises(ValueError, match="no metric"):
        distance(off, REFERENCE, {"rouge": 0.0, "leak": 0.0})


def test_truth_ratios_need_wrong_answers_everywhere() -> None:
    with_wrong = ForgetQuestion("Q", "A", "A", ("B",))
    without = ForgetQuestion("Q", "A", "A")
    assert "truth_ratio" in measurable([with_wrong], samples=False)
    assert "truth_ratio" not in measurable([with_wrong, without], samples=False)


def test_what_is_sampled_is_measured_where_samples_are_drawn() -> None:
    row = ForgetQuestion("Q", "A", "A", ("B",))
    assert set(SAMPLED) & set(measurable([row], samples=False)) == set()
    assert set(measurable([row], samples=True)) == set(METRICS)


def test_one_leak_of_many_answers_counts_and_all_are_compared(
    server: ChatServer, rows: list[ForgetQuestion]
) -> None:
    row = rows[0]
    server.sampled = {row.question: ["I cannot say.", row.answer, "", "She bakes."]}
    with ModelEndpoint(server.url) as endpoint:
        measurer = Measurer(endpoint, SAMPLED, 64, Sampling(4, 0.8, seed=3))
        found = measurer.measure(rows[:2])
    assert row.leaked(row.answer)
    assert found["sampled_leak"].tolist() == [1.0, 1.0], "the other question's answers all leak"
    rouge = [rouge_recall(row.answer, text) for text in server.sampled[row.question]]
    assert found["sampled_rouge"][0] == pytest.approx(sum(rouge) / 4)
    assert found["sampled_rouge"][1] == 1.0
    server.sampled = {row.question: ["I cannot say.", "", "She bakes."]}
    with ModelEndpoint(server.url) as endpoint:
        assert replace(measurer, endpoint=endpoint).measure([row])["sampled_leak"] == [0.0]
    assert all(request["n"] == 4 for request in server.requests)
    assert len(server.requests) == 3, "no greedy answer where nothing needs it"


def test_means_of_a_part() -> None:
    columns = {"rouge": np.array([0.0, 1.0, 0.5])}
    assert means(columns) == {"rouge": 0.5}
    assert means(columns, [1]) == {"rouge": 1.0}


def test_of_the_attacks_the_one_that_gets_most_above_the_reference_counts() -> None:
    reference = {**REFERENCE, BY_ATTACK[0]: 0.1, BY_ATTACK[1]: 0.2}
    found = {**REFERENCE, BY_ATTACK[0]: 0.14, BY_ATTACK[1]: 0.22}
    assert distance(found, reference, {}) == pytest.approx(2 / np.sqrt(3))
    fewer = {**REFERENCE, BY_ATTACK[0]: 0.0, BY_ATTACK[1]: 0.0}
    assert distance(fewer, reference, {}) == 0


def test_attacks_are_asked_with_the_answer_begun(
    server: ChatServer, rows: list[ForgetQuestion]
) -> None:
    with ModelEndpoint(server.url) as endpoint:
        row = replace(rows[0], entities=("baker",))
        found = Measurer(endpoint, BY_ATTACK[:4]).measure([row])
    assert found[BY_ATTACK[0]].tolist() == [1.0]
    assert set(found) == set(BY_ATTACK[:4])
    assert all(request["messages"][-1]["role"] == "assistant" for request in server.requests)
    assert {request["n"] for request in server.requests} == {1, 64}
    assert not any("seed" in request for request in server.requests)
