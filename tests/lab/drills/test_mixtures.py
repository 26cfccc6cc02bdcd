"""Texts of every kind: as long as asked for, and the same for the same seed."""

import random

import pytest

from lab.drills.mixtures import MIXTURES


@pytest.mark.parametrize("kind", MIXTURES)
def test_a_mixture_is_about_as_long_as_asked_for_and_repeatable(kind: str) -> None:
    text = MIXTURES[kind](random.Random(1), 30_000)

    assert 20_000 < len(text.encode()) <= 33_000
    assert text == MIXTURES[kind](random.Random(1), 30_000)
    assert text != MIXTURES[kind](random.Random(2), 30_000)
