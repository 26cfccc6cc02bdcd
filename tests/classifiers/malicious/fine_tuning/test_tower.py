"""Pools of a window: the whole and its segments, the same alone and in company."""

import numpy as np
import pytest
import torch

from classifiers.malicious.fine_tuning.tower import Tower, _pooled, load_tower, pool_counts
from tests.encoders import tiny_bert


def _batch(lengths: list[int], width: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(sum(lengths))
    mask = torch.zeros(len(lengths), max(lengths))
    for row, length in enumerate(lengths):
        mask[row, :length] = 1
    return torch.randn(len(lengths), max(lengths), width), mask


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 12, 13, 31])
def test_segments_cover_a_window_and_each_brings_something_new(length: int) -> None:
    hidden, mask = _batch([length])
    means, maxima, pools = _pooled(hidden, mask, 8)
    count = int(pools.sum())
    assert [count] == pool_counts(np.array([length]), 8).tolist()
    assert torch.allclose(means[0, 0], hidden[0].mean(0), atol=1e-6)
    seen = 0
    for number in range(count - 1):
        own = hidden[0, 4 * number : min(length, 4 * number + 8)]
        assert torch.allclose(means[0, 1 + number], own.mean(0), atol=1e-5)
        assert torch.allclose(maxima[0, 1 + number], own.amax(0))
        assert min(length, 4 * number + 8) > seen
        seen = min(length, 4 * number + 8)
    assert seen == length


def test_a_window_has_the_same_pools_in_a_batch_of_longer_ones() -> None:
    hidden, mask = _batch([40, 17, 3])
    means, maxima, pools = _pooled(hidden, mask, 8)
    for row, length in enumerate((40, 17, 3)):
        alone = _pooled(hidden[row : row + 1, :length], mask[row : row + 1, :length], 8)
        count = int(pools[row].sum())
        assert count == int(alone[2].sum())
        assert torch.allclose(means[row, :count], alone[0][0, :count], atol=1e-5)
        assert torch.allclose(maxima[row, :count], alone[1][0, :count])


def test_without_segments_the_whole_window_is_the_only_pool() -> None:
    hidden, mask = _batch([9, 4])
    means, _, pools = _pooled(hidden, mask, 0)
    assert pools.tolist() == [[1], [1]]
    assert torch.allclose(means[1, 0], hidden[1, :4].mean(0), atol=1e-6)
    assert pool_counts(np.array([1, 500]), 0).tolist() == [1, 1]


def test_the_logit_is_the_highest_of_any_pool_by_both_heads() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(1)
        tower = load_tower(tiny_bert(), 1, segment=8)
        torch.nn.init.normal_(tower.head.weight)
        torch.nn.init.normal_(tower.anchor.weight)
    tower.eval()
    ids = torch.arange(5, 25)[None]
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        states = tower.lower(ids, mask)
        tuned, pools = tower.pool_logits(states, mask)
        features, _ = tower.frozen_features(states, mask)
        expected = (tuned + tower.anchor(features)[..., 0])[pools == 1].max()
        assert float(tower(ids, mask)) == pytest.approx(float(expected), abs=1e-5)
        highest = float(tuned[pools == 1].max())
        assert float(tower.judged(states, mask)[0]) == pytest.approx(highest)
        tower.anchor.weight.zero_()
        tower.anchor.bias.zero_()
        assert float(tower.eval()(ids, mask)) == pytest.approx(highest)
        assert not tower.anchored


@pytest.mark.parametrize("segment", [-2, 7])
def test_a_segment_that_has_no_half_is_refused(segment: int) -> None:
    with pytest.raises(ValueError, match="segment: expected an even number"):
        Tower(load_tower(tiny_bert(), 1).backbone, 1, segment=segment)
