"""Batches grow and shrink with the time that they take."""

from collections.abc import Sequence
from itertools import pairwise

from guard.screening.workers.pace import BATCH_S, FIRST_CHARACTERS, GROWTH, Pace, Paces
from guard.terms.detector import Detector
from tests.fakes import Clock


def read(pace: Pace, clock: Clock, texts: Sequence[str], characters_per_s: float) -> list[int]:
    """The batches' lengths, read at this speed."""
    lengths = []
    for batch in pace.batches(texts):
        size = sum(map(len, batch))
        lengths.append(size)
        clock.now += size / characters_per_s
    return lengths


def test_every_text_is_in_one_batch_the_shortest_first() -> None:
    texts = ["abc" * 100, "a", "ab" * 200, "abc"]
    batches = list(Pace().batches(texts))

    assert [text for batch in batches for text in batch] == sorted(texts, key=len)


def test_the_first_batch_is_one_window_and_the_next_ones_grow() -> None:
    clock = Clock()
    pace = Pace(clock)
    lengths = read(pace, clock, ["x" * 100] * 400, 1e9)

    assert lengths[0] == FIRST_CHARACTERS
    assert all(after <= before * GROWTH + 100 for before, after in pairwise(lengths))
    assert lengths[-2] > 4 * FIRST_CHARACTERS


def test_a_batch_lasts_as_long_as_it_should() -> None:
    clock = Clock()
    pace = Pace(clock)
    lengths = read(pace, clock, ["x" * 100] * 2000, 100_000)

    assert lengths[10] == 100_000 * BATCH_S


def test_slow_texts_come_one_window_at_a_time() -> None:
    clock = Clock()
    pace = Pace(clock)
    read(pace, clock, ["x" * 100] * 2000, 100_000)
    lengths = read(pace, clock, ["x" * FIRST_CHARACTERS] * 10, 1000)

    assert set(lengths[1:]) == {FIRST_CHARACTERS}


def test_a_text_longer_than_a_batch_is_one() -> None:
    assert list(Pace().batches(["x" * 5000])) == [["x" * 5000]]


def test_each_detector_has_its_own_pace() -> None:
    paces, first, second = Paces(), Detector(), Detector()
    list(paces.batches(first, ["x" * 100] * 400))

    assert len(next(paces.batches(first, ["x" * 100] * 40))) > 8
    assert len(next(paces.batches(second, ["x" * 100] * 40))) == 8
