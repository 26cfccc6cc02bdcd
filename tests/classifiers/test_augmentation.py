"""Disguises: repeatable, in the prompt's group, and strangers that are strangers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.augmentation import DISGUISES, disguise, stranger, swap_names
from classifiers.prompts import Prompt

NAMES = ("Ilse Varnholt", "the Grey Heron")
PROMPTS = [
    Prompt("Where was Ilse Varnholt born?", "a"),
    Prompt("Who is called the grey heron?", "b"),
    Prompt("Which town is it?", "c"),
]


@given(st.text(min_size=1, max_size=80), st.integers(0, 2**32))
def test_every_disguise_takes_every_text(text: str, seed: int) -> None:
    for change in DISGUISES:
        first = change(text, np.random.default_rng(seed))
        assert first == change(text, np.random.default_rng(seed))
        assert first or not text.strip()


def test_disguises_keep_groups_and_repeat() -> None:
    found = disguise(PROMPTS, 3, ["What is 2 plus 2?"], seed=1)
    assert [prompt.group for prompt in found] == list("aaabbbccc")
    assert found == disguise(PROMPTS, 3, ["What is 2 plus 2?"], seed=1)
    assert found != disguise(PROMPTS, 3, ["What is 2 plus 2?"], seed=2)


def test_a_prompt_is_disguised_the_same_in_any_company() -> None:
    assert disguise(PROMPTS[1:], 2, [], seed=0) == disguise(PROMPTS, 2, [], seed=0)[2:]


def test_composites_hold_both_questions() -> None:
    prompts = [Prompt(f"question {number}", "g") for number in range(80)]
    joined = [p.text for p in disguise(prompts, 7, ["companion"], seed=0)]
    assert any("question" in text and "companion" in text for text in joined)


def test_names_are_swapped_in_any_case() -> None:
    found = swap_names(PROMPTS, NAMES, 2, seed=0)
    assert [prompt.group for prompt in found] == list("aabb")
    for prompt in found:
        assert not any(name.casefold() in prompt.text.casefold() for name in NAMES)
    assert found[0].text.startswith("Where was ")
    assert found[0].text.endswith(" born?")


def test_nothing_is_swapped_without_names() -> None:
    assert swap_names(PROMPTS, (), 2, seed=0) == []


@pytest.mark.parametrize("names", [(), NAMES])
def test_strangers_are_strangers(names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    found = {stranger(names, rng) for _ in range(300)}
    assert len(found) > 250
    assert not found & set(names)
    assert all(len(name.split()) == 2 for name in found)
