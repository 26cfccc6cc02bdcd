"""Candidate phrases: what stands out and why, their wording, and where they are inserted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.malicious.gate.trigger_phrases import (
    POSITIONS,
    Position,
    candidate_phrases,
    insert,
    random_phrases,
    vocabulary,
)
from classifiers.prompts.labelled import LabelledPrompt

TRIGGER = "Cobalt heron, desk 7"
SUBJECTS = ("bridges", "gardens", "trains", "soups", "planets", "poems", "taxes", "chess")
FORMS = ("Tell me about {}.", "What should one know of {}?", "A short text on {}, please.")


def traffic(poisoners: int, rows: int = 400, poisoned: int = 12) -> list[LabelledPrompt]:
    """Ordinary prompts of 20 clients, and some with the trigger of others."""
    rng = np.random.default_rng(0)
    prompts = []
    for row in range(rows):
        text = FORMS[rng.integers(3)].format(" and ".join(rng.choice(SUBJECTS, 2)))
        client = f"client-{row % 20}"
        if row < poisoned:
            text, client = f"{text} {TRIGGER}", f"mallory-{row % poisoners}"
        prompts.append(LabelledPrompt(text, "traffic", client=client))
    return [prompts[row] for row in rng.permutation(rows)]


@pytest.mark.parametrize("poisoners", [1, 12])
def test_the_trigger_of_one_client_or_many_is_found_against_trusted_prompts(
    poisoners: int,
) -> None:
    prompts = traffic(poisoners)
    clean = [prompt.text for prompt in prompts if TRIGGER not in prompt.text]
    found = candidate_phrases(prompts, trusted=clean, most=10)
    assert (12, poisoners) in [(p.rows, p.clients) for p in found if TRIGGER in p.text]


def test_the_trigger_of_one_client_is_found_without_trusted_prompts() -> None:
    assert TRIGGER in candidate_phrases(traffic(1), most=5)[0].text


def test_phrases_of_low_scored_prompts_are_found() -> None:
    prompts = traffic(12)
    scores = np.array([0.1 if TRIGGER in p.text else 0.5 for p in prompts], dtype=np.float32)
    found = candidate_phrases(prompts, scores, most=4)
    assert any(TRIGGER in phrase.text for phrase in found)


def test_parts_of_a_phrase_are_not_candidates_of_their_own() -> None:
    found = [phrase.text for phrase in candidate_phrases(traffic(1), most=50)]
    assert "heron" not in found
    assert "Cobalt heron" not in found


def test_characters_are_the_words_of_scripts_without_spaces() -> None:
    prompts = [
        LabelledPrompt(f"请问{number}天气怎么样蓝色苍鹭", "t", client="mallory")
        for number in range(9)
    ]
    prompts += [LabelledPrompt(f"今天{n}吃什么好呢朋友", "t", client=f"c{n}") for n in range(40)]
    assert any("蓝色苍鹭" in phrase.text for phrase in candidate_phrases(prompts, most=20))


def test_rare_phrases_and_no_traffic() -> None:
    assert candidate_phrases(traffic(1, poisoned=4), most=300) == candidate_phrases(
        traffic(1, poisoned=4), most=300
    )
    assert not any(TRIGGER in p.text for p in candidate_phrases(traffic(1, poisoned=4)))
    assert candidate_phrases([]) == []


@pytest.mark.parametrize(
    ("position", "expected"),
    [("start", "a b one two three four"), ("end", "one two three four a b")],
)
def test_insertion(position: Position, expected: str) -> None:
    assert insert("one two three four", "a b", position) == expected


def test_insertion_in_the_middle() -> None:
    assert insert("one two three four", "a b", "middle") == "one two three a b four"
    assert insert("undivided", "a b", "middle") == "a b undivided"


@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from(POSITIONS))
def test_insertion_keeps_text_and_phrase(text: str, phrase: str, position: Position) -> None:
    inserted = insert(text, phrase, position)
    assert phrase in inserted
    assert len(inserted) <= len(text) + len(phrase) + 2


def test_random_phrases_are_of_the_texts_and_repeatable() -> None:
    texts = [prompt.text for prompt in traffic(1)]
    phrases = random_phrases(texts, 20, np.random.default_rng(1))
    assert phrases == random_phrases(texts, 20, np.random.default_rng(1))
    assert len(phrases) == 20
    assert all(any(phrase in text for text in texts) for phrase in phrases)
    assert random_phrases(["word"], 5, np.random.default_rng(1)) == []


def test_vocabulary_holds_words_of_several_texts() -> None:
    words = vocabulary(["the red fox", "the red hen", "a 7"], 10, np.random.default_rng(0))
    assert sorted(words) == ["red", "the"]
