"""Partition voting: the partition, and the joined model as a majority vote."""

import numpy as np
import pytest

from classifiers.malicious.data.shards import combine, partition
from classifiers.malicious.feature_model import FeatureModel, linear

KEY = b"k" * 32


def models(count: int, rng: np.random.Generator) -> list[FeatureModel]:
    return [
        FeatureModel((linear(rng.standard_normal(8), float(rng.normal())),)) for _ in range(count)
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
    members = models(5, rng)
    rows = rng.standard_normal((200, 8)).astype(np.float32)
    alone = np.stack([member.score(rows) for member in members])
    joined = combine(members).score(rows)
    for threshold in np.concatenate([np.linspace(0.05, 0.95, 19), joined[:20]]):
        majority = (alone >= threshold).sum(axis=0) >= 3
        np.testing.assert_array_equal(joined >= threshold, majority)


def test_what_would_be_a_second_vote_is_refused() -> None:
    rng = np.random.default_rng(2)
    three = models(3, rng)
    with pytest.raises(ValueError, match="odd number"):
        combine(three[:2])
    with pytest.raises(ValueError, match="one member"):
        combine([combine(three), *three[:2]])
