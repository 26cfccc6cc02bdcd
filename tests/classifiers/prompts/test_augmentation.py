"""Disguises: repeatable, in the prompt's group, and not those that attacks are measured with."""

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifiers.evaluation.extraction import wordings
from classifiers.prompts import disguise_wordings
from classifiers.prompts.augmentation import (
    DISGUISES,
    LONGEST_NOISE,
    _composites,
    disguise,
    name_prompts,
    noise,
)
from classifiers.prompts.disguise_wordings import ORDERS
from classifiers.prompts.files import Prompt

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
    joined = [p.text for p in disguise(prompts, 11, ["companion"], seed=0)]
    assert any("question" in text and "companion" in text for text in joined)


def test_noise_is_long_and_of_many_scripts() -> None:
    found = noise(np.random.default_rng(0), LONGEST_NOISE)
    assert LONGEST_NOISE <= len(found) <= LONGEST_NOISE + 10
    assert len({unicodedata.name(sign).split()[0] for sign in found if sign.isalpha()}) >= 6


def test_numbered_composites_ask_for_the_prompt() -> None:
    numbered, paragraph = _composites(["What is 2 plus 2?", "Which sea is the deepest?"])
    for seed in range(20):
        lines = numbered("Where is it?", np.random.default_rng(seed)).split("\n")
        order = lines[0] if any(o.split("{}")[0] in lines[0] for o in ORDERS) else lines[-1]
        wanted = next(line for line in lines if "Where is it?" in line)
        assert re.search(r"\d", wanted)[0] in order  # type: ignore[index]
        assert "Where is it?" in paragraph("Where is it?", np.random.default_rng(seed))


def test_names_are_asked_for_by_themselves() -> None:
    found = name_prompts(NAMES, 3, seed=0)
    assert [prompt.group for prompt in found[:3]] == ["name: Ilse Varnholt"] * 3
    assert len(found) == 6
    assert sum("Ilse Varnholt" in prompt.text for prompt in found) >= 1


def test_training_shares_no_wording_with_the_attacks_that_measure() -> None:
    def bare(texts: Iterable[object]) -> set[str]:
        return {re.sub(r"\W+", " ", str(text)).strip().lower() for text in texts} - {""}

    trained = bare(
        text
        for name, group in vars(disguise_wordings).items()
        if name.isupper() and isinstance(group, tuple) and name != "SCRIPTS"
        for text in group
    )
    measured = bare(
        text
        for name, group in vars(wordings).items()
        if name.isupper() and isinstance(group, tuple)
        for text in group
    )
    assert len(trained) > 40
    assert len(measured) > 40
    assert not trained & measured
