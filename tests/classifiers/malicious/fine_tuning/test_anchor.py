"""The anchor learns from the pool of a window that shows the attack."""

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.anchor import fit_anchor


def test_the_highest_pool_of_each_window_is_learned_from() -> None:
    """The whole (first pool) of an attack says little, one of its segments everything."""
    rng = np.random.default_rng(0)
    count = 60
    labels = (np.arange(count) % 2).astype(np.float32)
    features = rng.normal(0, 0.3, (count * 4, 3)).astype(np.float32)
    owners = np.repeat(np.arange(count), 4)
    for window in range(count):
        if labels[window]:
            features[4 * window] += (0.3, 0, 0)
            features[4 * window + 1 + window // 2 % 3] += (3, 0, 0)
    ones = np.ones(count, np.float32)
    whole = fit_anchor(features, owners, labels, ones, rounds=0)
    learned = fit_anchor(features, owners, labels, ones)

    def margin(fitted: tuple[NDArray[np.float32], float]) -> float:
        """Between the highest pools of the classes, by a direction of unit length."""
        highest = (features @ fitted[0]).reshape(count, 4).max(axis=1)
        gap = highest[labels == 1].min() - highest[labels == 0].max()
        return float(gap / np.linalg.norm(fitted[0]))

    def separates(fitted: tuple[NDArray[np.float32], float]) -> bool:
        fires = (features @ fitted[0] + fitted[1]).reshape(count, 4).max(axis=1) > 0
        return bool((fires == labels).all())

    assert separates(learned)
    assert not separates(whole)
    assert margin(learned) > 0.9
