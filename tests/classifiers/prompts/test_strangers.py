"""Questions about somebody or something else: the same form, another subject."""

import numpy as np
import pytest

from classifiers.prompts.files import Prompt
from classifiers.prompts.strangers import stranger, swap_details, swap_names

NAMES = ("Ilse Varnholt", "the Grey Heron")
PROMPTS = [
    Prompt("Where was Ilse Varnholt born?", "a"),
    Prompt("Who is called the grey heron?", "b"),
    Prompt("Which town is it?", "c"),
]


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


def test_some_strangers_share_a_name() -> None:
    rng = np.random.default_rng(0)
    found = [stranger(NAMES, rng).split() for _ in range(300)]
    shared = sum(first == "Ilse" or last == "Varnholt" for first, last in found)
    assert 20 < shared < 150


def test_details_are_swapped_and_the_form_stays() -> None:
    asked = Prompt("Who is the author born in Vellmar, Hesse on 14/03/1951?", "g")
    found = swap_details([asked, PROMPTS[2]], 5, seed=0)
    assert [prompt.group for prompt in found] == ["g"] * 5
    for prompt in found:
        assert prompt.text.startswith("Who is the author born in ")
        assert "Vellmar" not in prompt.text
        assert "1951" not in prompt.text
    assert len({prompt.text for prompt in found}) == 5
