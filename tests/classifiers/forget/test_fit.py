"""Fitting on rows whose features say plainly what they are."""

import numpy as np

from classifiers.forget.fit import Levels, ThresholdMethod, fit
from classifiers.forget.rows import Encoded, Kind, Rows
from classifiers.prompts.files import Prompt

RNG = np.random.default_rng(1)
WIDTH = 8


def encoded(lift: float = 3.0, forget: int = 20, named: int = 10) -> Encoded:
    """`forget` rows, lifted in the first feature, the first `named` with a name; 200 harmless."""
    rows = Rows()
    kinds: tuple[Kind, Kind] = ("plain", "disguised")
    for kind in kinds:
        rows.add([Prompt(f"f{n}", f"f{n}") for n in range(forget)], 1, kind)
    for kind in kinds:
        rows.add([Prompt(f"r{n}", f"r{n}") for n in range(200)], 0, kind)
    features = RNG.standard_normal((len(rows.texts), WIDTH)).astype(np.float32)
    features[: 2 * forget, 0] += lift
    marks = np.array([n % forget < named for n in range(2 * forget)] + [False] * 400)
    return Encoded(rows, features, np.arange(len(features)), marks)


def levels(method: ThresholdMethod, fpr: float = 0.01) -> Levels:
    return Levels(method, fpr, fnr=0.05, confidence=0.9, alpha=0.05)


def test_simple_judges_every_row_by_a_head_that_did_not_see_it() -> None:
    found = fit(encoded(), levels("simple"), (1.0,))
    assert len(found.scores) == 440
    assert found.auroc > 0.9
    both, head = found.rates(plain=True, names=True), found.rates(plain=True, names=False)
    assert (both.forget, both.retain) == (20, 200)
    assert both.false_negative <= head.false_negative
    assert both.false_positive <= 0.03
    assert found.promise == {}


def test_what_has_no_name_gets_an_exemplar() -> None:
    found = fit(encoded(lift=6.0), levels("simple"), (1.0,))
    assert len(found.recognised.exemplars.biases) + found.recognised.ambiguous == 10
    assert found.known_missed == 0


def test_conformal_learns_from_half() -> None:
    found = fit(encoded(), levels("conformal"), (1.0,))
    assert len(found.scores) == 220
    assert found.rates(plain=True, names=True).retain == 100
    assert found.promise["false_positive"] == {"at_most": 0.05, "rows": 100}


def test_a_smaller_share_of_the_set_raises_the_threshold() -> None:
    rows = encoded(lift=0.5)
    loose, tight = (fit(rows, levels("simple", fpr), (1.0,)) for fpr in (0.05, 1e-6))
    assert tight.bounds.value > loose.bounds.value
