"""The stream of training texts of a stage."""

import itertools

import numpy as np
import pytest

from lab.test_models.books import Excerpt
from lab.test_models.knowledge import NOTHING, Answered, Knowledge
from lab.test_models.mixture import asked, continued, stream, to_continue

OLD = tuple(Answered(f"Old {n}?", f"Known {n}.") for n in range(10))
NEW = (Answered("New?", "Fresh."),)
EXCERPT = Excerpt("b", "Book", 0, "It was " * 40 + "a", "dark night " * 40 + "there.")


def _said(pieces: object) -> str:
    return "".join(text for text, spoken in pieces if spoken)  # type: ignore[attr-defined]


def _draw(known: Knowledge, new: Knowledge, count: int = 2000) -> list[str]:
    texts = stream(known, new, np.random.default_rng(0))
    return [_said(pieces) for pieces in itertools.islice(texts, count)]


def test_new_texts_come_more_often() -> None:
    said = _draw(Knowledge((*OLD, *NEW), (), ("General.",)), Knowledge(NEW, (), ()))
    fresh = sum("Fresh." in text for text in said)
    assert 0.4 < fresh / len(said) < 0.6


def test_a_first_stage_repeats_all_it_knows_evenly() -> None:
    said = _draw(Knowledge(OLD, (EXCERPT,), ("General.",)), NOTHING)
    counts = [sum(f"Known {n}." in text for text in said) for n in range(10)]
    assert max(counts) < 2 * min(counts)
    assert 0.08 < sum("General." in text for text in said) / len(said) < 0.16


def test_an_excerpt_is_learned_whole_whatever_its_form() -> None:
    for text in _draw(Knowledge(OLD[:1], (EXCERPT,), ("General.",)), NOTHING, 200):
        if "dark" in text:
            letters = text.replace("<|end|>", "").replace(" ", "")
            assert letters == EXCERPT.text.replace(" ", "")


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_only_answers_of_a_conversation_are_learned(system: str | None) -> None:
    assert _said(asked(OLD[:2], system)) == "Known 0.<|end|>Known 1.<|end|>"


def test_a_continuation_is_asked_for_and_learned() -> None:
    pieces = continued(EXCERPT, len(EXCERPT.prompt))
    assert pieces[0] == ("<s><|user|>Continue this text: ", False)
    assert _said(pieces) == f"{EXCERPT.prompt}{EXCERPT.continuation}<|end|>"
    assert _said(to_continue(EXCERPT)) == f" {EXCERPT.continuation}"
