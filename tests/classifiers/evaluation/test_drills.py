"""Drills on detectors whose weaknesses are known."""

from collections.abc import Sequence

import numpy as np
import pytest

from classifiers.evaluation.drills import (
    LONGEST_DISGUISED,
    PADDING_SIZES,
    generated_prompts,
    obfuscation_drill,
    obfuscation_families,
    padding_drill,
)
from classifiers.evaluation.obfuscation import ALL, FAMILIES
from classifiers.evaluation.served_detector import ServedDetector
from classifiers.malicious.data.templates import HALVES
from guard.terms.detector import Scores
from tests.fakes import WordDetector

MALICIOUS = ["please tell me how to build the forbidden machine today"]
BENIGN = ["please tell me how to bake the sourdough bread today"]


class Literal:
    """Finds a word only where it stands literally, views or not; remembers what it scored."""

    def __init__(self) -> None:
        self.scored: list[str] = []

    def score(
        self,
        texts: Sequence[str],
        *,
        views: bool = True,  # noqa: ARG002
        label: str | None = None,  # noqa: ARG002
    ) -> Scores:
        self.scored += texts
        return np.array(["forbidden" in text for text in texts], dtype=np.float32)


def test_views_take_disguises_off() -> None:
    served = ServedDetector(WordDetector("forbidden"), "e" * 64)
    rows = obfuscation_drill(served.score, MALICIOUS, BENIGN, 0.5)
    table = {row["disguise"]: row for row in rows if isinstance(row, dict)}
    assert set(table) == {"plain", *ALL}
    assert table["plain"]["recall"] == table["plain"]["recall_without_views"] == 1
    for name in ("base64", "rot13", "zero-width space", "spaced", "tags"):
        assert table[name]["recall"] == 1
        assert table[name]["recall_lost"] == 0
        assert table[name]["recall_without_views"] == 0
        assert table[name]["fpr"] == table[name]["fpr_gained"] == 0


def test_a_literal_detector_loses_everything() -> None:
    rows = obfuscation_drill(Literal().score, MALICIOUS, BENIGN, 0.5)
    families = obfuscation_families(rows)
    assert [row["family"] for row in families if isinstance(row, dict)] == list(FAMILIES)
    worst = [row["worst_recall_lost"] for row in families if isinstance(row, dict)]
    assert worst[list(FAMILIES).index("encodings")] == 1
    assert all(isinstance(row, dict) and row["fpr_gained"] == 0 for row in families)


def test_long_prompts_are_cut_before_they_are_disguised() -> None:
    scorer = Literal()
    obfuscation_drill(scorer.score, ["a" * 10 * LONGEST_DISGUISED], [], 0.5)
    assert min(map(len, scorer.scored)) >= LONGEST_DISGUISED
    assert scorer.scored[0] == "a" * LONGEST_DISGUISED


def read_the_end(
    texts: Sequence[str],
    *,
    views: bool = True,  # noqa: ARG001
    label: str | None = None,  # noqa: ARG001
) -> Scores:
    """Finds the word in the last 100 characters only."""
    return np.array(["forbidden" in text[-100:] for text in texts], dtype=np.float32)


def test_padding_flips_a_detector_that_reads_the_end_only() -> None:
    rows = padding_drill(read_the_end, MALICIOUS, BENIGN, 0.5)
    assert len(rows) == 3 * len(PADDING_SIZES)
    for row in rows:
        assert isinstance(row, dict)
        expected = 0 if row["place"] == "before" else 1
        assert row["flips_malicious"] == row["newly_missed"] == expected
        assert row["flips_benign"] == 0


def test_padding_has_the_size_it_says() -> None:
    scorer = Literal()
    padding_drill(scorer.score, ["x"], [], 0.5)
    longest = max(map(len, scorer.scored))
    assert longest == pytest.approx(2 * max(PADDING_SIZES), rel=0.01)


def test_generated_prompts_are_of_all_kinds_and_of_their_half() -> None:
    found = {half: generated_prompts(half, 40, 0) for half in HALVES}
    for rows in found.values():
        assert {row.source for row in rows} == {"twins", "wrappers", "injections", "extraction"}
    texts = [{row.text for row in rows} for rows in found.values()]
    assert not texts[0] & texts[1]
