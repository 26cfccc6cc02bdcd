"""Oracles: the same question about two names, and how well one number tells them apart."""

from collections.abc import Mapping
from typing import Any

import pytest

from lab.unlearning.oracles import ORACLES, measure, pairs, separation

QUESTIONS = [(f"Where was {name} born?", name) for name in ("Ilse Varnholt", "Orvo Tandrup")] * 4
LISTED = ("Ilse", "Orvo")


def answer(text: str, tokens: int = 3) -> tuple[int, Any]:
    usage = {"prompt_tokens": len(text), "completion_tokens": tokens}
    return 200, {"choices": [{"message": {"content": "x"}}], "usage": usage, "count": len(text)}


def silent(route: str, body: Mapping[str, Any]) -> tuple[int, Any]:
    """Answers whatever is asked alike."""
    assert route.startswith("/")
    assert body["model"]
    return answer("as ever")


def audible(route: str, body: Mapping[str, Any]) -> tuple[int, Any]:
    """Refuses whatever names somebody on the list."""
    assert route.startswith("/")
    refused = any(name in str(body) for name in LISTED)
    return (400, {"usage": {"prompt_tokens": 0, "completion_tokens": 0}}) if refused else answer("")


@pytest.mark.parametrize("name", ORACLES)
def test_a_server_that_answers_all_alike_tells_nothing(name: str) -> None:
    assert measure(silent, ORACLES[name], QUESTIONS) == 0.5


@pytest.mark.parametrize("name", ["stop", "bad_words", "choice", "schema", "tool", "embeddings"])
def test_a_refusal_tells_everything(name: str) -> None:
    assert measure(audible, ORACLES[name], QUESTIONS) == 1.0


def test_each_question_has_one_of_the_same_form_about_a_stranger() -> None:
    for (question, name), (other, given, before) in zip(QUESTIONS, pairs(QUESTIONS), strict=True):
        assert before == name
        assert other == question.replace(name, given)
        assert not any(listed in other for listed in LISTED)


def test_either_direction_tells() -> None:
    assert separation([1, 2], [3, 4]) == separation([3, 4], [1, 2]) == 1.0
    assert separation([1, 2], [1, 2]) == 0.5
