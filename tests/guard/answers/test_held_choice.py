"""A held choice: what may go after which verdict."""

from typing import Any

from guard.answers.held_choice import MOST_CALL, HeldChoice
from guard.answers.windows import Window
from guard.settings import Release

SENTENCE = "This is one sentence of more than forty characters. "


class Script:
    """Feeds a choice and judges what is due; notes what went at each step."""

    def __init__(self, release: Release = "hold") -> None:
        self.choice = HeldChoice(release, Window(200))
        self.out: list[str] = []
        self.looks: list[str] = []

    def say(self, text: str = "", *, judge: bool = True, **choice: Any) -> list[str]:
        """One event; what goes by it."""
        made = {"delta": {"content": text} if text else {}, "finish_reason": None, **choice}
        self.choice.add(text.encode() or b"-", made)
        while judge and self.choice.due:
            passages = self.choice.passages()
            self.looks += [passage.text for passage in passages]
            self.choice.judged(passages)
        gone = [data.decode() for data in self.choice.released()]
        self.out += gone
        return gone

    def call(self, arguments: str, index: int = 0, **named: str) -> list[str]:
        """A piece of a tool call."""
        function = {"arguments": arguments, **named}
        return self.say(arguments, delta={"tool_calls": [{"index": index, "function": function}]})

    def end(self) -> list[str]:
        """The last event."""
        return self.say(finish_reason="stop")


def test_a_sentence_goes_when_the_next_one_was_judged() -> None:
    script = Script()

    assert script.say(SENTENCE) == []
    assert script.say(SENTENCE) == [SENTENCE]
    assert script.end() == [SENTENCE, "-"]
    assert script.choice.is_idle
    assert script.choice.held == 0


def test_the_role_goes_at_once() -> None:
    assert Script().say(delta={"role": "assistant", "content": ""}) == ["-"]


def test_text_without_sentences_goes_by_the_window() -> None:
    script = Script()
    gone = [len(script.say("word ")) for _ in range(100)]

    assert gone.index(10) == 49  # judged at 250 characters: the first 50 go
    assert sum(gone) == 60


def test_a_sentence_is_judged_once_and_as_context() -> None:
    script = Script()
    for _ in range(20):
        script.say(SENTENCE)

    assert len(script.looks) == 20
    assert max(map(len, script.looks)) <= 400 + len(SENTENCE)


def test_nothing_goes_without_a_verdict() -> None:
    script = Script()
    for _ in range(10):
        assert script.say(SENTENCE, judge=False) == []
    assert script.choice.due
    assert script.choice.must_wait


def test_tail_goes_at_once_and_no_further_than_a_window() -> None:
    script = Script("tail")
    gone = [len(script.say("x" * 50, judge=False)) for _ in range(8)]

    assert gone == [1, 1, 1, 1, 0, 0, 0, 0]
    assert script.choice.must_wait


def test_tail_does_not_end_before_its_last_verdict() -> None:
    script = Script("tail")
    script.say("short", judge=False)

    assert script.say(judge=False, finish_reason="stop") == []
    assert script.choice.must_wait
    assert script.say() == ["-", "-"]


def test_whole_goes_at_the_end() -> None:
    script = Script("whole")
    for _ in range(20):
        assert script.say(SENTENCE) == []
    assert len(script.end()) == 21
    assert script.looks == [SENTENCE * 20]


def test_whole_says_not_even_who_speaks_before_the_end() -> None:
    assert Script("whole").say(delta={"role": "assistant", "content": ""}) == []


def test_reasoning_goes_once_the_answer_has_begun() -> None:
    script = Script()
    assert script.say("short", delta={"reasoning": "short"}) == []
    assert script.say("answer") == ["short"]


def test_a_tool_call_goes_as_a_whole() -> None:
    script = Script()
    assert script.call("", name="find") == []
    assert script.call('{"place": {"city": "Ber') == []
    assert script.call('lin"}') == []
    assert len(script.call("}")) == 4
    assert script.looks == ["find", "place\ncity\nBerlin"]


def test_a_call_is_over_when_the_next_one_begins() -> None:
    script = Script()
    assert script.call("{broken", name="f") == []
    assert script.call("{", index=1, name="g") == ["{broken"]


def test_a_very_long_call_goes_by_the_window() -> None:
    script = Script()
    script.call('{"a": "' + "x" * MOST_CALL, name="f")
    assert script.out == []
    script.call("x" * 300)
    assert len(script.out) == 1


def test_logprobs_of_half_a_character_wait_for_it() -> None:
    script = Script()
    script.say(SENTENCE)
    script.say(SENTENCE)
    assert script.say(logprobs={"content": [{"bytes": [240]}]}) == []
    assert len(script.end()) == 3


def test_a_stopped_choice_says_nothing_more() -> None:
    script = Script()
    script.say(SENTENCE)
    script.choice.stop()

    assert script.say(SENTENCE) == []
    assert not script.choice.due
    assert script.choice.held == 0


def test_what_of_a_passage_has_gone_is_known() -> None:
    script = Script("tail")
    script.say("x" * 150, judge=False)
    (passage,) = script.choice.passages()
    script.say("y" * 100, judge=False)

    assert script.choice.gone(passage.channel, passage.start, passage.end) == 150
    assert script.choice.behind(passage) == 250
    assert script.choice.has_spoken
