"""Exemplars: the known prompt and its like fire, harmless ones do not, ambiguous ones are none."""

import numpy as np
from numpy.typing import NDArray

from classifiers.forget.exemplars import MOST, recognise

RNG = np.random.default_rng(5)
WIDTH = 24


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


HARMLESS = unit(RNG.standard_normal((300, WIDTH)))
KNOWN = unit(RNG.standard_normal((5, WIDTH)))
NOBODY = np.empty((0, WIDTH), dtype=np.float32)


def test_the_known_and_their_like_fire_and_nothing_else() -> None:
    found = recognise(KNOWN, HARMLESS, NOBODY)
    assert found.ambiguous == 0
    own = found.exemplars.log_odds(KNOWN)
    assert (np.diag(own) > 0).all()
    alike = unit(KNOWN + 0.05 * RNG.standard_normal(KNOWN.shape))
    assert (found.exemplars.log_odds(alike).max(axis=1) > 0).all()
    assert found.exemplars.log_odds(HARMLESS).max() < 0


def test_what_is_also_harmless_is_no_exemplar() -> None:
    found = recognise(np.concatenate([KNOWN[:2], HARMLESS[:1]]), HARMLESS, NOBODY)
    assert found.ambiguous == 1
    assert len(found.exemplars.biases) == 2


def test_others_turn_the_direction() -> None:
    """What the known question shares with the same about others tells nothing."""
    form, subject = unit(RNG.standard_normal((2, WIDTH)))
    known = unit((form + subject)[None, :])
    others = unit(form + RNG.standard_normal((40, WIDTH)) / np.sqrt(WIDTH))
    found = recognise(known, HARMLESS, others)
    assert found.exemplars.log_odds(unit(form[None, :])).max() < 0


def test_there_is_a_most_and_a_none() -> None:
    many = unit(RNG.standard_normal((MOST + 10, WIDTH)))
    assert len(recognise(many, HARMLESS, NOBODY).exemplars.biases) <= MOST
    none = recognise(NOBODY, HARMLESS, NOBODY)
    assert none.exemplars.weights.shape == (0, WIDTH)
