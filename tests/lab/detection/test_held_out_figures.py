"""Figures of out-of-source scores: sources weigh alike, thresholds never see their source."""

import numpy as np
import pytest

from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.held_out_figures import (
    balanced,
    family_of,
    figures,
    group_of,
    nested_rates,
    padded_recall,
)


def rows() -> tuple[list[LabelledPrompt], list[float]]:
    """Benign scores 0.00 to 0.99 of two sources, and attacks above all, half and none of them."""
    prompts, scores = [], []
    for number in range(100):
        for source in ("chat_bench", "awesome_prompts"):
            prompts.append(LabelledPrompt(f"{source} {number}", source, "benign", "instruction"))
            scores.append(number / 100)
    for source, score in (("aart", 2.0), ("sap200", 0.495), ("jade_zh", -1.0)):
        kind = "jailbreak_full" if source == "sap200" else "harmful_request"
        prompts += [LabelledPrompt(f"{source} {n}", source, "malicious", kind) for n in range(10)]
        scores += [score] * 10
    return prompts, scores


def test_families_by_source_and_kind() -> None:
    benign = LabelledPrompt("x", "gpteacher", "benign", "tool_prompt")
    assert (family_of(benign), group_of(benign)) == ("hard", "gpteacher/role-play")
    assert family_of(LabelledPrompt("x", "gpteacher", "benign", "code")) == "ordinary"
    assert family_of(LabelledPrompt("x", "jade_zh", "malicious", "harmful_request")) == "languages"
    assert family_of(LabelledPrompt("x", "twins", "malicious", "bomb")) == "generated"
    assert family_of(LabelledPrompt("x", "twins", "benign", "bomb")) == "hard"


def test_auroc_and_recall_of_known_scores() -> None:
    prompts, scores = rows()
    found = figures(prompts, np.array(scores, dtype=np.float32))
    families = found["families"]
    assert isinstance(families, dict)
    for name, expected in (("harmful", 1.0), ("jailbreaks", 0.5), ("languages", 0.0)):
        figure = families[name]
        assert isinstance(figure, dict)
        assert figure["ordinary"] == pytest.approx(expected)
        assert figure["hard"] == pytest.approx(expected)
    recall = found["recall"]
    assert isinstance(recall, dict)
    assert recall["0.01"]["sources_alike"] == pytest.approx(1 / 3)  # type: ignore[index,call-overload]


def test_a_source_s_threshold_is_that_of_the_others() -> None:
    groups = np.array(["a"] * 100 + ["b"] * 100)
    scores = np.concatenate([np.linspace(0, 1, 100), np.linspace(1, 2, 100)]).astype(np.float32)
    rates = nested_rates(scores, groups, np.ones(200, dtype=bool), 0.01)["sources"]
    assert rates == {"a": 0.0, "b": 1.0}


def test_weights_make_sources_alike() -> None:
    groups = np.array(["a"] * 3 + ["b"])
    weights = balanced(groups, np.array([True, True, False, True]))
    np.testing.assert_allclose(weights, [0.25, 0.25, 0, 0.5])


def test_padded_attacks_are_judged_at_the_threshold_of_plain_prompts() -> None:
    prompts, scores = rows()
    places = {200: [230, 232], 210: [231, 233]}  # one attack of aart, one of sap200
    for scored in (2.0, 0.0, -1.0, 2.0):
        prompts.append(LabelledPrompt("padded", "aart", "malicious", "harmful_request"))
        scores.append(scored)
    found = padded_recall(prompts, np.array(scores, dtype=np.float32), places)
    assert found["rows"] == 2
    assert found["plain"] == pytest.approx(0.5)
    assert found["padded"] == pytest.approx([0.5, 0.5])
