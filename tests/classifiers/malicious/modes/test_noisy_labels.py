"""Early-learning regularisation: it beats plain training on wrong labels, and remembers by id."""

import numpy as np
import pytest
import torch

from classifiers.malicious.data.training_set import Recipe
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.noisy_labels import EarlyLearning
from classifiers.malicious.modes.student import initial_member, train_student
from guard.terms.detector import Features

ROWS, WIDTH = 600, 40


def separable(seed: int) -> tuple[Features, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(ROWS) % 2
    features = rng.standard_normal((ROWS, WIDTH)).astype(np.float32)
    features[:, 0] += 6 * labels - 3
    return features, labels


def accuracy(early: EarlyLearning | None, ids: list[str], epochs: int = 30) -> float:
    features, labels = separable(0)
    flipped = labels.copy()
    wrong = np.random.default_rng(1).permutation(ROWS)[: int(0.4 * ROWS)]
    flipped[wrong] = 1 - flipped[wrong]
    recipe = Recipe(hidden=64, epochs=epochs)
    init = initial_member(WIDTH, recipe.hidden, seed=0)
    student = train_student(features, flipped, recipe, init=init, seed=0, ids=ids, early=early)
    fresh, truth = separable(2)
    return float(((FeatureModel((student.member,)).logits(fresh) > 0) == truth).mean())


def test_it_resists_forty_percent_wrong_labels() -> None:
    ids = [f"row {n}" for n in range(ROWS)]
    regularised = accuracy(EarlyLearning(ids, 0.9, 3.0), ids)
    plain = {epochs: accuracy(None, ids, epochs) for epochs in (1, 3, 30)}
    assert regularised >= max(plain.values())
    assert regularised > plain[30] + 0.1


def test_targets_survive_shuffling() -> None:
    logits = torch.tensor([[2.0, -1], [0.5, 0.1], [-3, 1]])
    one, other = (EarlyLearning("abc", 0.7, 1.0) for _ in range(2))
    first = one.penalty(logits, ["a", "b", "c"])
    second = other.penalty(logits[[2, 0, 1]], ["c", "a", "b"])
    assert first.item() == pytest.approx(second.item())
    for name in "abc":
        np.testing.assert_array_equal(one.target(name), other.target(name))


def test_targets_survive_resuming() -> None:
    logits = torch.tensor([[2.0, -1], [0.5, 0.1]])
    whole = EarlyLearning("ab", 0.7, 1.0)
    whole.penalty(logits, "ab")
    resumed = EarlyLearning("ba", 0.7, 1.0).resume(whole.state())
    assert whole.penalty(logits, "ab").item() == pytest.approx(resumed.penalty(logits, "ab").item())
    np.testing.assert_array_equal(whole.target("b"), resumed.target("b"))


def test_the_first_step_is_the_papers() -> None:
    logits = torch.tensor([[0.0, 2.0]], requires_grad=True)
    early = EarlyLearning(["a"], 0.9, 3.0)
    penalty = early.penalty(logits, ["a"])
    p = torch.softmax(logits.detach(), dim=1)[0].numpy()
    np.testing.assert_allclose(early.target("a"), 0.1 * p, rtol=1e-5)
    inner = float(p @ (0.1 * p))
    assert penalty.item() == pytest.approx(3 * np.log(1 - inner), rel=1e-5)
    (gradient,) = torch.autograd.grad(penalty, logits)
    t = 0.1 * p
    expected = [3 * p[c] / (1 - inner) * sum((t[k] - t[c]) * p[k] for k in (0, 1)) for c in (0, 1)]
    np.testing.assert_allclose(gradient[0].numpy(), expected, rtol=1e-4)


def test_ids_are_distinct() -> None:
    with pytest.raises(ValueError, match="share"):
        EarlyLearning(["a", "a"], 0.9, 1.0)
