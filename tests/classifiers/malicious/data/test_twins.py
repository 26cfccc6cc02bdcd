"""Twins: the same words in both labels, repeatable, and halves that share no wording."""

from collections import Counter
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.malicious.data.templates import FRAMES, HALVES, Half
from classifiers.malicious.data.twins import TwinFamily, families, twin_pairs, twins

ALL = tuple(chain.from_iterable(families(half) for half in HALVES))


def wording(half: Half) -> set[str]:
    """Every template and filling of a half."""
    return {
        text
        for family in families(half)
        for text in (*family.templates, *family.benign, *family.malicious)
    }


def test_there_are_many_families_in_five_languages() -> None:
    assert len(ALL) >= 40
    templates = Counter[str]()
    for family in ALL:
        templates[family.language] += len(family.templates)
    assert set(templates) == {"en", "de", "es", "fr", "zh"}
    assert min(templates.values()) >= 10


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)
def test_families_are_well_formed(family: TwinFamily) -> None:
    assert len(family.benign) == len(family.malicious) >= 6
    assert not set(family.benign) & set(family.malicious)
    for template in family.templates:
        slots = {"x", *family.shared}
        assert all("{" + slot + "}" in template for slot in slots)
        assert template.count("{") == len(slots)
    assert (family.language, family.half) in FRAMES


def test_halves_share_no_family_and_no_wording() -> None:
    names = [{family.name for family in families(half)} for half in HALVES]
    assert not names[0] & names[1]
    assert not wording("train") & wording("held_out")
    for language in ("en", "de", "es", "fr", "zh"):
        frames = set(FRAMES[language, "train"]) & set(FRAMES[language, "held_out"])
        assert frames == {"{}"}


@pytest.mark.parametrize("half", HALVES)
def test_rows_are_balanced_and_distinct(half: Half) -> None:
    rows = twins(half, 2000, 0)
    assert Counter(row.label for row in rows) == {"benign": 2000, "malicious": 2000}
    assert len({row.text for row in rows}) == len(rows)
    assert {row.source for row in rows} == {"twins"}
    assert {row.kind for row in rows} == {family.name for family in families(half)}
    assert not any("{" in row.text for row in rows)


def test_halves_share_no_text() -> None:
    texts = [{row.text for row in twins(half, 5000, 0)} for half in HALVES]
    assert not texts[0] & texts[1]


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(HALVES), st.integers(1, 200), st.integers(0, 9))
def test_pairs_repeat_and_begin_alike(half: Half, pairs: int, seed: int) -> None:
    found = twin_pairs(half, pairs, seed)
    assert len(found) == pairs
    assert found == twin_pairs(half, pairs + 7, seed)[:pairs]
    for benign, malicious in found:
        assert (benign.label, malicious.label) == ("benign", "malicious")
        assert benign.kind == malicious.kind


def test_a_family_gives_every_pair_once() -> None:
    family = families("train")[0]
    pairs = list(family.pairs(3))
    assert len(pairs) == family.size == len({good.text for good, _ in pairs})
    assert len({bad.text for _, bad in pairs}) == family.size


def test_seeds_differ() -> None:
    assert twins("train", 50, 0) != twins("train", 50, 1)


def test_languages_can_be_chosen() -> None:
    rows = twins("held_out", 30, 0, languages=["de"])
    assert all(row.kind.startswith("de_") for row in rows)


def test_more_than_there_are_is_refused() -> None:
    most = sum(family.size for family in families("train"))
    assert len(twin_pairs("train", most, 0)) == most
    with pytest.raises(ValueError, match=f"the train half has {most}"):
        twin_pairs("train", most + 1, 0)


def test_an_unknown_half_is_refused() -> None:
    with pytest.raises(ValueError, match="half must be one of train, held_out"):
        families("test")  # type: ignore[arg-type]
