"""The invented people: repeatable, and told apart by every name and value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.demo.people import FORGOTTEN, RETAINED, VALUES, coin, invent, populate

seeds = st.integers(min_value=0, max_value=2**32 - 1)


@given(seeds)
def test_the_same_seed_gives_the_same_people(seed: int) -> None:
    assert populate(seed) == populate(seed)


def test_another_seed_gives_other_people() -> None:
    assert {p.name for p in populate(0).everyone}.isdisjoint(p.name for p in populate(1).everyone)


@given(seeds)
def test_no_two_people_share_a_name_or_value(seed: int) -> None:
    people = populate(seed).everyone
    assert len(people) == FORGOTTEN + RETAINED
    for part in (0, 1):
        assert len({person.name.split()[part] for person in people}) == len(people)
    assert len({person.alias for person in people}) == len(people)
    for attribute in VALUES:
        assert len({person.values[attribute] for person in people}) == len(people)


@given(seeds)
def test_everyone_has_a_value_for_every_attribute(seed: int) -> None:
    person = invent(np.random.default_rng(seed))
    assert set(person.values) == set(VALUES)
    assert all(person.values.values())


@given(seeds)
def test_a_coined_word_is_lower_case_letters(seed: int) -> None:
    word = coin(np.random.default_rng(seed))
    assert word.isalpha()
    assert word.islower()
