"""A held stream: what is no JSON object, and what belongs to no choice."""

import pytest

from guard.answers.held_stream import HeldStream
from guard.answers.windows import Window
from tests.guard.answers.streams import delta

USAGE = b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'


@pytest.fixture
def held() -> HeldStream:
    return HeldStream("hold", Window(200))


@pytest.mark.parametrize("event", [b"data: []\n\n", b'data: {"choices": [1]}\n\n'])
def test_what_cannot_be_read_is_an_error(held: HeldStream, event: bytes) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        held.feed(event)
    with pytest.raises(ValueError, match="unexpected end"):
        held.feed(b"data: {\n\n")


def test_usage_waits_for_what_it_counts(held: HeldStream) -> None:
    held.feed(delta(content="text") + USAGE)
    assert held.released() == b""
    assert held.usage == {"total_tokens": 3}

    held.feed(b": a comment\n\n" + delta(finish="stop").replace(b"\n", b"\r\n"))
    assert held.released() == b": a comment\n\n"
    for _, choice in held.due():
        choice.judged(choice.passages())
    assert held.released() == delta(content="text") + delta(finish="stop") + USAGE


def test_done_completes_every_choice(held: HeldStream) -> None:
    held.feed(delta(content="text") + b"data: [DONE]\n\n")
    assert held.is_due
    for _, choice in held.due():
        choice.judged(choice.passages())
    assert held.released().endswith(b"[DONE]\n\n")


def test_the_bytes_that_wait_are_counted(held: HeldStream) -> None:
    held.feed(delta(content="text"))
    assert held.held == len(delta(content="text"))
