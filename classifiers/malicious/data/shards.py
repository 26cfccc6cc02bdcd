"""Partition voting: models of disjoint groups of clients, joined so that the majority decides.

Third step with traffic, after quotas (Deep Partition Aggregation, Levine and Feizi, ICLR 2021). All
of a client's rows are in one shard, so a client changes at most one member. With an odd number of
members the median score is at or above a threshold exactly when most members' scores are: one
joined model is the majority vote at every threshold.

What that rests on: whatever members share must not depend on traffic. Validation and threshold come
from trusted prompts; near-duplicates are removed inside a shard, never across shards (a prompt
placed first would otherwise remove another client's).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.feature_model import FeatureModel
from classifiers.prompts.files import position

Rows = NDArray[np.int_]


def partition(
    clients: Sequence[str], texts: Sequence[str], shards: int, key: bytes
) -> tuple[Rows, ...]:
    """The rows of each shard, by a keyed hash of the client (of the text where it is unknown).

    Raises ValueError for an even number of shards, which could vote to a tie.
    """
    if shards < 1 or shards % 2 == 0:
        raise ValueError(f"shards: must be odd, not {shards}")
    salt = f"shards {key.hex()}"
    # A text of an unknown client is a group of its own: its copies fall into one shard.
    groups = [client or f"\0{text}" for client, text in zip(clients, texts, strict=True)]
    places = {group: int(position(group, salt) * shards) for group in set(groups)}
    shard = np.array([places[group] for group in groups], dtype=np.int_)
    return tuple(np.flatnonzero(shard == number) for number in range(shards))


def combine(models: Sequence[FeatureModel]) -> FeatureModel:
    """One model with a member per shard.

    Raises ValueError unless every model has one member and their number is odd.
    """
    if len(models) % 2 == 0:
        raise ValueError(f"models: an odd number is needed, not {len(models)}")
    if any(len(model.members) != 1 for model in models):
        raise ValueError("models: each must have one member")
    return FeatureModel(tuple(member for model in models for member in model.members))
