"""What is corrupted beside what was flagged."""

from typing import Any

import pytest

from guard.corruption.spread import spread
from guard.terms.item import Call
from guard.wire import chat
from guard.wire.fields import FieldRules

BEGUN = {"add_generation_prompt": False, "continue_final_message": True}


def call(*messages: Any, **fields: Any) -> Call:
    said = [{"role": role, "content": content} for role, content in messages]
    return chat.parse({"model": "m", "messages": said, **fields}, FieldRules(), None)


def parts(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]


@pytest.mark.parametrize(
    ("texts", "flagged", "found"),
    [
        (("Where was Ilse Varn", "holt born?"), 1, {0, 1}),
        (("Where was Ilse ", "Varnholt", " born?"), 1, {0, 1, 2}),
        (("A document.", "Where was Ilse", " born?"), 1, {1, 2}),
        (("A document\n", "Who is Ilse?", "Another document."), 1, {1}),
        (("Who is Ilse?", "\n\nAnother"), 0, {0}),
        (("one", "two"), 0, {0, 1}),
    ],
)
def test_parts_of_a_sentence(texts: tuple[str, ...], flagged: int, found: set[int]) -> None:
    spoken = call(("user", parts(*texts)))
    assert set(spread(spoken, {flagged: "set"})) == found


def test_messages_in_a_row_are_one() -> None:
    cut = call(("user", "Where was Ilse"), ("user", "Varnholt born?"))
    assert spread(cut, {1: "set"}) == {0: "set", 1: "set"}
    apart = call(("user", "Where was Ilse"), ("assistant", "Who?"), ("user", "Varnholt."))
    assert spread(apart, {2: "set"}) == {2: "set"}
    system = call(("system", "Answer the user"), ("user", "Who is Varnholt?"))
    assert spread(system, {1: "set"}) == {1: "set"}


def test_a_begun_answer_goes_with_its_question() -> None:
    turns = ("user", "Who is Varnholt?"), ("assistant", "She was born in")
    assert spread(call(*turns, **BEGUN), {0: "set"}) == {0: "set", 1: "set"}
    assert spread(call(*turns), {0: "set"}) == {0: "set"}
    assert spread(call(*turns, **BEGUN), {}) == {}
    later = ("user", "And the weather?"), ("assistant", "It is")
    assert spread(call(*turns, *later, **BEGUN), {0: "set"}) == {0: "set"}


def test_a_set_of_its_own_stays() -> None:
    cut = call(("user", parts("Ilse ", "and", " Otto")))
    assert spread(cut, {0: "one", 2: "two"}) == {0: "one", 1: "one", 2: "two"}
