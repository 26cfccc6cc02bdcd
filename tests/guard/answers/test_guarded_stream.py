"""Guarded streams: what goes is a prefix of what was judged, and every stream has its ending."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guard.answers.guarded_stream import GuardedStream
from guard.detectors.verbatim.grams import gram_hashes
from guard.detectors.verbatim.index import QuoteDetector
from guard.detectors.verbatim.instructions import InstructionQuotes
from guard.detectors.verbatim.membership import Listed
from guard.detectors.verbatim.quotes import Quotes
from guard.settings import Release
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import ScreeningError, UpstreamError
from guard.terms.item import Item
from guard.terms.verdict import Action
from tests.fakes import FailingDetector, HangingDetector, WordDetector
from tests.guard.answers.judging import chat_call, desk, policy, sent
from tests.guard.answers.streams import call, delta, heard
from tests.turns import turns

DONE = b"data: [DONE]\n\n"
SENTENCE = "This sentence has more than forty letters. "
CLEAN = [delta(role="assistant", content=""), *(delta(content=SENTENCE) for _ in range(9))]
END = [delta(finish="stop"), DONE]
MODES: tuple[Release, ...] = ("hold", "tail", "whole")

pieces = st.sampled_from(
    [
        "an",
        " attack",
        "att",
        "ack",
        ". ",
        "\r\n",
        "👩🏽‍🚀",
        "e\u0301",
        "ß",
        "\u202e",
        "。",
        SENTENCE,
    ]
)
events = st.one_of(
    st.builds(lambda text, index: delta(index, content=text), pieces, st.integers(0, 1)),
    st.builds(lambda text, index: delta(index, reasoning=text), pieces, st.integers(0, 1)),
    st.builds(
        lambda texts: [call(piece) for piece in ('{"a": "', *map(escaped, texts), '"}')],
        st.lists(pieces, max_size=4),
    ),
)


def escaped(text: str) -> str:
    return orjson.dumps(text).decode()[1:-1]


def interrupted(said: list[bytes]) -> set[tuple[int, str]]:
    """The texts that do not come in one go."""
    last: dict[int, set[tuple[int, str]]] = {}
    seen: set[tuple[int, str]] = set()
    again = set()
    for places in (set(heard(event)[0]) for event in said):
        for place in places:
            again |= {place} if place in seen and place not in last[place[0]] else set()
            last[place[0]] = places
        seen |= places
    return again


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    """The stream in chunks that end anywhere."""
    ends = sorted({end % (len(stream) + 1) for end in at} | {0, len(stream)})
    return [stream[a:b] for a, b in pairwise(ends)]


def letters(text: str) -> str:
    """The letters of a text, which may be a JSON string's."""
    return re.sub(r"\\u[0-9a-f]{4}|\\.|[^a-z]", "", text.lower())


@settings(deadline=None, max_examples=60)
@example(said=[delta(content="att"), delta(content="👩🏽‍🚀"), delta(content="ack")], at=[])
@given(said=st.lists(events, max_size=25), at=st.lists(st.integers(0, 20_000), max_size=30))
@pytest.mark.parametrize("mode", MODES)
async def test_what_goes_is_a_prefix_of_what_was_said(
    mode: Release, said: list[Any], at: list[int]
) -> None:
    flat = [e for event in said for e in (event if isinstance(event, list) else [event])]
    stream = b"".join([*flat, delta(0, "stop"), delta(1, "stop"), DONE])
    with desk(policy(mode)) as at_desk:
        out = await at_desk.stream(cut(stream, at), n=2)

    whole, _ = heard(stream)
    got, ends = heard(out)
    assert out.endswith(DONE)
    assert out.count(DONE) == 1
    assert ends.keys() == {0, 1}
    for place, text in got.items():
        assert whole[place].startswith(text)
    for index, end in ends.items():
        own = {place: text for place, text in whole.items() if place[0] == index}
        bad = {place for place, text in own.items() if "attack" in text.lower()}
        if end == "stop":
            assert not bad
            assert {place: text for place, text in got.items() if place[0] == index} == own
        else:  # a word with signs between its letters is one, too
            assert end == "content_filter"
            assert any("attack" in letters(text) for text in own.values())
        # What was over once may have gone: a text that goes on behind another one's is two texts.
        for place in bad - interrupted(flat) if mode != "tail" else ():
            assert len(got.get(place, "")) <= whole[place].lower().find("attack")


@settings(deadline=None, max_examples=30)
@given(at=st.lists(st.integers(0, 20_000), max_size=40))
async def test_a_clean_stream_is_untouched(at: list[int]) -> None:
    usage = b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'
    stream = b"".join([b": ping\n\n", *CLEAN, delta(finish="stop"), usage, DONE])
    with desk() as at_desk:
        out = await at_desk.stream(cut(stream, at))

    assert sorted(out.split(b"\n\n")) == sorted(stream.split(b"\n\n"))
    assert out.replace(b": ping\n\n", b"") == stream.replace(b": ping\n\n", b"")


@pytest.mark.parametrize("mode", MODES)
async def test_an_answer_is_stopped_and_the_model_with_it(mode: Release) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        for chunk in [*CLEAN, delta(content="an attack. " + SENTENCE), delta(content=SENTENCE)]:
            yield chunk
        if mode == "whole":
            yield delta(finish="stop")
        while asked < 100:
            asked += 1
            yield delta(content=SENTENCE)

    with desk(policy(mode)) as at_desk:
        stream = GuardedStream(at_desk.guard())
        out = b"".join([out async for out in stream.events(endless())])
        leaked = at_desk.sample("ecoguard_answer_leaked_characters_total", mode=mode)
        stopped = at_desk.sample("ecoguard_answers_total", mode=mode, ending="stopped")

    said, ends = heard(out)
    assert ends == {0: "content_filter"}
    assert out.endswith(DONE)
    assert asked < 10
    assert stopped == 1
    if mode == "tail":
        assert leaked is not None
        assert 0 < leaked < 200
    else:
        assert leaked == 0
        assert "attack" not in said.get((0, "content"), "")
    assert at_desk.notes.verdicts[0].action is Action.BLOCK


async def test_one_choice_is_stopped_and_the_other_goes_on() -> None:
    stream = [
        *(delta(index, content=SENTENCE) for index in (0, 1)),
        delta(1, content="attack"),
        *(delta(0, content=SENTENCE) for _ in range(4)),
        delta(1, "stop"),
        delta(0, "stop"),
        DONE,
    ]
    with desk() as at_desk:
        said, ends = heard(await at_desk.stream(stream, n=2))

    assert ends == {0: "stop", 1: "content_filter"}
    assert said[0, "content"] == SENTENCE * 5
    assert (1, "content") not in said


async def test_an_event_of_two_choices_is_taken_apart() -> None:
    both = [
        {"index": i, "delta": {"content": SENTENCE * 2 + w}, "finish_reason": "stop"}
        for i, w in enumerate(("fine", "attack"))
    ]
    chunk = b"data: " + orjson.dumps({"id": "c", "choices": both}) + b"\n\n"
    with desk() as at_desk:
        said, ends = heard(await at_desk.stream([chunk, DONE], n=2))

    assert ends == {0: "stop", 1: "content_filter"}
    assert said == {(0, "content"): SENTENCE * 2 + "fine"}


@pytest.mark.parametrize(
    "body",
    [{"response_format": {"type": "json_object"}}, {"structured_outputs": {"regex": "a+"}}],
)
async def test_where_json_is_promised_it_is_json_or_the_fallback(body: dict[str, Any]) -> None:
    stream = [delta(content='{"a": "'), *CLEAN, delta(content='attack"}'), *END]
    with desk(answers={"structured": '{"error": true}'}) as at_desk:
        stopped = heard(await at_desk.stream(stream, **body))
        clean = heard(await at_desk.stream([*stream[:-3], *END], **body))

    assert stopped == ({(0, "content"): '{"error": true}'}, {0: "content_filter"})
    assert clean == heard(b"".join([*stream[:-3], *END]))


@pytest.mark.parametrize("wanted", [True, False])
async def test_usage_is_told_where_it_was_asked_for(wanted: bool) -> None:
    counted = orjson.loads(delta(content="attack " + SENTENCE)[6:]) | {"usage": {"total_tokens": 3}}
    stream = [b"data: " + orjson.dumps(counted) + b"\n\n", *END]
    with desk() as at_desk:
        out = await at_desk.stream(stream, stream_options={"include_usage": wanted})

    assert (b"total_tokens" in out) is wanted
    assert out.endswith(DONE)


async def test_a_refusal_is_said_where_refusals_are_messages_and_nothing_was_said() -> None:
    with desk(refusal={"form": "message", "text": "No."}) as at_desk:
        early = await at_desk.stream([delta(content="attack"), *END])
        late = await at_desk.stream([*CLEAN, delta(content="attack"), *END])

    assert heard(early)[0] == {(0, "content"): "No."}
    assert heard(late)[0] == {(0, "content"): SENTENCE * 8}


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_is_no_verdict(mode: Release) -> None:
    with desk(policy(mode, FailingDetector())) as at_desk:
        with pytest.raises(ScreeningError) as raised:
            await at_desk.stream([*CLEAN, *END])
        unjudged = at_desk.sample("ecoguard_answers_total", mode=mode, ending="unjudged")

    assert raised.value.code == "screening_failed"
    assert unjudged == 1
    assert at_desk.notes.verdicts[0].label == "unjudged"


async def test_a_failure_may_be_let_through() -> None:
    with desk(policy("hold", FailingDetector(), on_error=Action.ALLOW)) as at_desk:
        said, ends = heard(await at_desk.stream([*CLEAN, *END]))

    assert said[0, "content"] == SENTENCE * 9
    assert ends == {0: "stop"}


async def test_what_was_not_judged_is_dropped_when_the_model_is_lost() -> None:
    async def lost() -> AsyncIterator[bytes]:
        for chunk in CLEAN[:3]:
            yield chunk
        raise UpstreamError("lost")

    out = []
    with desk() as at_desk:
        stream = GuardedStream(at_desk.guard()).events(lost())
        out = [await anext(stream), await anext(stream)]
        with pytest.raises(UpstreamError):
            await anext(stream)
        assert at_desk.sample("ecoguard_answers_total", mode="hold", ending="broken") == 1

    assert heard(b"".join(out))[0] == {(0, "content"): SENTENCE}


async def test_the_models_own_error_goes_at_once_and_nothing_follows() -> None:
    error = b'data: {"error": {"message": "broken"}}\n\n'
    with desk() as at_desk:
        out = await at_desk.stream([delta(content="held"), error, delta(content="after"), DONE])

    assert out == error


async def test_an_answer_too_long_to_be_held_ends_unjudged() -> None:
    long = [delta(content=SENTENCE * 1000) for _ in range(3)]
    with desk(policy("whole"), answers={"held_bytes": 64 << 10}) as at_desk:
        stream = at_desk.stream(long)
        with pytest.raises(ScreeningError, match="Too many"):
            await stream


async def test_a_slow_detector_slows_its_stream() -> None:
    slow, read = HangingDetector(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        for chunk in [*CLEAN, *END]:
            read += 1
            yield chunk

    with desk(policy("hold", slow)) as at_desk:
        stream = GuardedStream(at_desk.guard()).events(counted())
        assert heard(await anext(stream))[0] == {}
        waiting = asyncio.create_task(anext(stream))
        await asyncio.to_thread(slow.entered.wait, 10)
        await turns(20)
        assert read == 2
        slow.released.set()
        assert await waiting
        await stream.aclose()
    assert len(at_desk.notes.verdicts) == 1


async def test_tail_goes_on_while_it_is_judged_and_waits_at_the_window() -> None:
    slow = HangingDetector()
    with desk(policy("tail", slow)) as at_desk:
        stream = GuardedStream(at_desk.guard()).events(sent([*CLEAN, *END]))
        got = b"".join([await anext(stream) for _ in range(5)])
        assert heard(got)[0] == {(0, "content"): SENTENCE * 4}
        waiting = asyncio.create_task(anext(stream))
        await turns(20)
        assert not waiting.done()
        slow.released.set()
        rest = [await waiting, *[out async for out in stream]]

    assert heard(got + b"".join(rest)) == ({(0, "content"): SENTENCE * 9}, {0: "stop"})


async def test_shadows_judge_the_whole_answer_and_change_nothing() -> None:
    stream = [*CLEAN, delta(content="attack"), *END]
    shadow = policy("hold", shadow=True, name="s")
    with desk(shadow) as alone, desk(policy(detector=WordDetector("x!")), shadow) as beside:
        assert await alone.stream(stream) == b"".join(stream)
        assert heard(await beside.stream(stream)) == heard(b"".join(stream))
        verdicts = [await at_desk.notes.shadows[0] for at_desk in (alone, beside)]

    assert [verdict.would for verdict in verdicts] == [Action.BLOCK] * 2
    assert [verdict.action for verdict in verdicts] == [Action.ALLOW] * 2
    assert [finding.policy for finding in verdicts[1].passed] == ["p"]


async def test_flagged_answers_go_on() -> None:
    with desk(policy(action=Action.FLAG)) as at_desk:
        said, ends = heard(await at_desk.stream([delta(content="attack"), *CLEAN, *END]))

    assert ends == {0: "stop"}
    assert said[0, "content"].startswith("attack")
    assert at_desk.notes.verdicts[0].action is Action.FLAG
    labels = {"policy": "p", "side": "answer", "action": "flag", "failed": "false"}
    assert at_desk.sample("ecoguard_findings_total", **labels) == 1


class Letters(Detector):
    """Notes what it reads."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, texts: Any, features: Features | None) -> Scores:  # noqa: ARG002
        self.read += texts
        return np.zeros(len(texts), dtype=np.float32)


async def test_the_work_grows_with_the_answer_and_not_with_its_square() -> None:
    read = []
    for count in (100, 200):
        letters = Letters()
        with desk(policy(detector=letters)) as at_desk:
            await at_desk.stream([*(delta(content=SENTENCE) for _ in range(count)), *END])
        read.append(sum(map(len, letters.read)))

    assert read[1] < 2.2 * read[0]


@pytest.mark.parametrize("mode", MODES)
async def test_an_answer_does_not_give_its_instructions_away(mode: Release) -> None:
    rules = "Never ever tell a customer what the margin of the shop on any of its goods is."
    system = Item(("messages", 0, "content"), "system", rules, author="developer")
    words = [delta(content=f"{word} ") for word in f"My rules are. {rules} {SENTENCE}".split()]
    with desk(policy(mode, InstructionQuotes(12))) as at_desk:
        call = replace(chat_call(), items=(system,))
        guarded = at_desk.answers.guard(call, at_desk.policies, "", at_desk.notes)
        assert guarded
        out = [out async for out in GuardedStream(guarded).events(sent([*words, *END]))]
        clean = await at_desk.stream([*words, *END])

    said, ends = heard(b"".join(out))
    assert ends == {0: "content_filter"}
    assert "goods" not in said.get((0, "content"), "") or mode == "tail"
    assert heard(clean)[1] == {0: "stop"}


@pytest.mark.parametrize("mode", ["hold", "tail"])
async def test_no_quote_gets_longer_than_it_may(mode: Release) -> None:
    book = " ".join(f"word{number}" for number in range(400))
    quotes = QuoteDetector(Quotes(Listed(gram_hashes(book))), 50)
    words = [delta(content=f"{word} ") for word in book.split()]
    with desk(policy(mode, quotes)) as at_desk:
        said, ends = heard(await at_desk.stream([*words, *END]))

    assert ends == {0: "content_filter"}
    window = 0 if mode == "hold" else 200 // len("word10 ") + 1
    assert len(said[0, "content"].split()) < 50 + window
