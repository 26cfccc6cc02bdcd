"""The bench of remembered answers: what it relays and reads is what it says it is."""

import pytest

from guard.recognition.parts import text_part
from guard.recognition.said import AnswerReader
from lab.performance.recognition import (
    WORDS,
    chat,
    compare,
    known_answers,
    main,
    parsed,
    relay,
    stream,
)


async def test_the_stream_says_its_words_and_passes_whole() -> None:
    events, reader = stream(5), AnswerReader()
    for event in events:
        reader.feed(event)
    assert reader.parts() == (text_part(WORDS),)
    assert await relay(events, None) == sum(map(len, events))


async def test_the_history_is_known_in_every_turn() -> None:
    answers = known_answers()
    answers.keep("key", [text_part(WORDS * 60)])
    known = await answers.known_fields(parsed(chat(3)), "key", ())
    assert known == {("messages", place, "content") for place in (1, 3, 5)}


def test_both_sides_take_turns() -> None:
    took: list[str] = []
    compare(lambda: took.append("one"), lambda: took.append("other"))
    assert len(took) % 2 == 0
    assert took.count("one") == took.count("other")


def test_it_says_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--events", "2", "--turns", "1"])
    said = capsys.readouterr().out
    assert "relay of 2 events" in said
    assert "history of 1 turns" in said
