"""Partition voting: the partition, the joined model as a majority vote, and the certificate."""

import numpy as np
import pytest

from classifiers.malicious.data.shards import certified_clients, combine, member_scores, partition
from classifiers.malicious.feature_model import FeatureModel, linear

KEY = b"k" * 32


def models(count: int, rng: np.random.Generator) -> list[FeatureModel]:
    mean = rng.standard_normal(8).astype(np.float32)
    return [
        FeatureModel((linear(rng.standard_normal(8), float(rng.normal())),), mean, None, 2.0)
        for _ in range(count)
    ]


def test_every_row_is_in_one_shard_and_clients_are_whole() -> None:
    clients = [f"c{row % 50}" for row in range(1000)] + [""] * 200
    texts = [f"prompt {row}" for row in range(1200)]
    shards = partition(clients, texts, 7, KEY)
    assert sorted(np.concatenate(shards)) == list(range(1200))
    where: dict[str, int] = {}
    for number, rows in enumerate(shards):
        for row in rows:
            if clients[row]:
                assert where.setdefault(clients[row], number) == number
    assert len(set(where.values())) == 7
    assert all((rows >= 1000).any() for rows in shards), "rows of nobody are spread by their text"


def test_a_client_keeps_its_shard_when_others_come() -> None:
    alone = partition(["x"], ["t"], 5, KEY)
    joined = partition(["y", "z", "x"], ["a", "b", "t"], 5, KEY)
    number = [len(rows) for rows in alone].index(1)
    assert 2 in joined[number]


@pytest.mark.parametrize("shards", [0, 2, 6])
def test_ties_are_refused(shards: int) -> None:
    with pytest.raises(ValueError, match="odd"):
        partition(["a"], ["t"], shards, KEY)


def test_the_joined_model_is_the_majority_at_every_threshold() -> None:
    rng = np.random.default_rng(0)
    model = combine(models(5, rng))
    rows = rng.standard_normal((200, 8)).astype(np.float32)
    alone = member_scores(model, rows)
    joined = model.score(rows)
    for threshold in np.concatenate([np.linspace(0.05, 0.95, 19), joined[:20]]):
        majority = (alone >= threshold).sum(axis=0) >= 3
        np.testing.assert_array_equal(joined >= threshold, majority)


def test_certified_decisions_survive_that_many_changed_members() -> None:
    """Whatever the members of so many clients are turned into."""
    rng = np.random.default_rng(1)
    alone = rng.random((7, 300)).astype(np.float32)
    certified = certified_clients(alone, 0.5)
    decided = np.median(alone, axis=0) >= 0.5
    assert set(certified) == {0, 1, 2, 3}
    for extreme in (0.0, 1.0):
        for changed in range(4):
            attacked = alone.copy()
            order = np.argsort(alone, axis=0)
            worst = order[::-1] if extreme == 0.0 else order
            np.put_along_axis(attacked, worst[:changed], extreme, axis=0)
            still = np.median(attacked, axis=0) >= 0.5
            assert (still == decided)[certified >= changed].all()


def test_what_would_be_a_second_vote_is_refused() -> None:
    rng = np.random.default_rng(2)
    three = models(3, rng)
    with pytest.raises(ValueError, match="odd number"):
        combine(three[:2])
    with pytest.raises(ValueError, match="one member"):
        combine([combine(three), *three[:2]])
    with pytest.raises(ValueError, match="mean, whitening and norm_clip"):
        combine([*three[:2], *models(1, rng)])
    with pytest.raises(ValueError, match="odd number"):
        certified_clients(np.zeros((2, 3), np.float32), 0.5)
