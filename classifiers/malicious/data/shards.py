"""Partition voting: models of disjoint groups of clients, joined so that the majority decides.

Third step with traffic, after quotas (Deep Partition Aggregation, Levine and Feizi, ICLR 2021). All
of a client's rows are in one shard, so a client changes at most one member. With an odd number of
members the median score is at or above a threshold exactly when most members' scores are: one
joined model is the majority vote at every threshold.

What the certificate rests on: whatever members share must not depend on traffic. Mean, whitening,
norm clip, validation and threshold come from trusted prompts; near-duplicates are removed inside a
shard, never across shards (a prompt placed first would otherwise remove another client's).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.feature_model import FeatureModel, joined
from classifiers.prompts.files import position
from guard.detectors.weights import logistic
from guard.terms.detector import Features, Scores

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
    groups = [client or f"\0{text}" for client, text in zip(clients, texts, strict=True)]
    places = {group: int(position(group, salt) * shards) for group in set(groups)}
    shard = np.array([places[group] for group in groups], dtype=np.int_)
    return tuple(np.flatnonzero(shard == number) for number in range(shards))


def combine(models: Sequence[FeatureModel]) -> FeatureModel:
    """One model with a member per shard.

    Raises ValueError unless every model has one member, their number is odd and all share mean,
    whitening and norm clip: what each made of its own shard would be a second vote of its clients.
    """
    if len(models) % 2 == 0:
        raise ValueError(f"models: an odd number is needed, not {len(models)}")
    if any(len(model.members) != 1 for model in models):
        raise ValueError("models: each must have one member")
    if not all(_alike(models[0], other) for other in models[1:]):
        raise ValueError("models: mean, whitening and norm_clip must be the same in all")
    return joined(models)


def member_scores(model: FeatureModel, features: Features) -> Scores:
    """Each member's scores of n rows, shape (members, n)."""
    alone = [
        FeatureModel((member,), model.mean, model.whitening, model.norm_clip)
        for member in model.members
    ]
    return np.stack([logistic(one.logits(features)) for one in alone])


def certified_clients(scores: Scores, threshold: float) -> Rows:
    """How many clients, whatever they send, cannot change each decision; shape (n,).

    `scores` (members, n) of an odd number S of members. With v votes for the winning side, the
    decision stands until v - (S - 1) / 2 members change, so v - (S + 1) / 2 clients cannot turn it.
    """
    members = len(scores)
    if members % 2 == 0:
        raise ValueError(f"scores: an odd number of members is needed, not {members}")
    malicious = (scores >= threshold).sum(axis=0)
    return np.asarray(np.maximum(malicious, members - malicious) - (members + 1) // 2, np.int_)


def _alike(one: FeatureModel, other: FeatureModel) -> bool:
    pairs = ((one.mean, other.mean), (one.whitening, other.whitening))
    same = all(a is b if a is None or b is None else np.array_equal(a, b) for a, b in pairs)
    return same and one.norm_clip == other.norm_clip
