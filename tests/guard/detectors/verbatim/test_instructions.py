"""Answers that repeat their request's own instructions."""

from guard.detectors.context import Context
from guard.detectors.verbatim.instructions import load
from guard.settings import InstructionsDetector
from guard.terms.item import Call, Item

RULES = "You are the shop's assistant and you never ever tell a customer what the margin is."
SOURCE = InstructionsDetector.model_validate({"kind": "instructions", "words": 10})


def told(rules: str, said: str = "") -> Call:
    items = (
        Item(("messages", 0, "content"), "system", rules, author="developer"),
        Item(("messages", 1, "content"), "user", said),
    )
    return Call("chat", "/v1/chat/completions", {}, "demo", stream=False, items=items)


def test_an_answer_is_compared_with_its_own_instructions() -> None:
    detector = load(SOURCE, Context(""))
    leak = f"My rules are: {RULES.lower()}"

    assert detector.about(told(RULES)).score([leak], None)[0] >= detector.threshold
    assert detector.about(told("Be brief.")).score([leak], None)[0] == 0
    assert detector.about(told("Be brief.", RULES)).score([leak], None)[0] == 0
    assert detector.score([leak], None)[0] == 0


def test_what_was_made_for_instructions_is_kept() -> None:
    detector = load(SOURCE, Context(""))
    first = detector.about(told(RULES))

    assert detector.about(told(RULES, "another question")) is first
    for number in range(300):
        detector.about(told(f"rules {number}"))
    assert detector.about(told(RULES)) is not first
