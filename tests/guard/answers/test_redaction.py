"""Redaction: what was found is taken out, in bodies and in streams however they are cut."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.answers.redaction import MARK, Span, joined, outside, redacted, with_texts
from guard.answers.whole_answer import judged_body
from guard.detectors.names.phrases import PhraseList
from guard.detectors.sensitive.credentials import Credentials
from guard.terms.verdict import Action
from tests.fakes import WordDetector, chat_answer
from tests.guard.answers.judging import Desk, desk, policy
from tests.guard.answers.streams import call, delta, heard

DONE = b"data: [DONE]\n\n"
SENTENCE = "This sentence has more than forty letters. "
NAME = "Ann Bäcker"


def redacting() -> Any:
    """A desk that takes a name out."""
    return desk(policy(detector=PhraseList([NAME]), action=Action.REDACT))


@pytest.mark.parametrize(
    ("spans", "start", "text"),
    [
        ([], 0, "0123456789"),
        ([(2, 4)], 0, f"01{MARK}456789"),
        ([(12, 14)], 10, f"01{MARK}456789"),
        ([(2, 4), (8, 12)], 0, f"01{MARK}4567{MARK}"),
        ([(5, 12)], 10, "23456789"),  # the mark stands where it began
        ([(0, 20)], 5, ""),
    ],
)
def test_spans_are_left_out(spans: list[tuple[int, int]], start: int, text: str) -> None:
    assert redacted("0123456789", spans, start) == text


def test_spans_that_touch_are_one() -> None:
    assert joined([(5, 7), (0, 2), (1, 3), (3, 4)]) == [(0, 4), (5, 7)]


@pytest.mark.parametrize(
    ("others", "parts"),
    [
        ([], [(3, 9)]),
        ([(0, 3), (9, 12)], [(3, 9)]),
        ([(4, 5), (6, 7)], [(3, 4), (5, 6), (7, 9)]),
        ([(0, 4), (8, 12)], [(4, 8)]),
        ([(3, 9)], []),
        ([(0, 20)], []),
    ],
)
def test_of_a_span_what_no_other_covers(others: list[Span], parts: list[Span]) -> None:
    assert outside((3, 9), others) == parts


def test_logprobs_do_not_spell_out_what_is_gone() -> None:
    choice: dict[str, Any] = {"index": 0, "delta": {"content": "ab"}, "logprobs": {"content": [1]}}

    assert with_texts(choice, {("content",): "b"})["delta"] == {"content": "b"}
    assert with_texts(choice, {("content",): "b"})["logprobs"] is None
    assert choice["delta"] == {"content": "ab"}


async def streamed(at_desk: Desk, text: str, size: int) -> str:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    events = [delta(content=piece) for piece in pieces]
    said, ends = heard(await at_desk.stream([*events, delta(finish="stop"), DONE]))
    assert ends == {0: "stop"}
    return said.get((0, "content"), "")


@settings(deadline=None, max_examples=60)
@given(
    texts=st.lists(st.sampled_from([SENTENCE, NAME, " a\u0308 ", "ANN  BÄCKER", "\r\n", "👩🏽‍🚀"])),
    size=st.integers(1, 70),
)
async def test_a_stream_is_the_redacted_answer_however_it_is_cut(
    texts: list[str], size: int
) -> None:
    whole = " ".join(texts)
    with redacting() as at_desk:
        got = await streamed(at_desk, whole, size)
        leaked = at_desk.sample("ecoguard_answer_leaked_characters_total", mode="hold")

    assert got == redacted(whole, joined(PhraseList([NAME]).spans(whole)))
    assert "bäcker" not in got.lower()
    assert leaked == 0


async def test_a_body_is_redacted_by_choice_and_place() -> None:
    said = {"content": f"I am {NAME}.", "reasoning": "no name", "tool_calls": []}
    choices = [{"index": i, "message": m} for i, m in enumerate((said, {"content": "fine"}))]
    body = orjson.dumps({**chat_answer(""), "choices": choices})
    with redacting() as at_desk:
        found, verdict = await judged_body(at_desk.guard(), body)

    first, second = (choice["message"] for choice in orjson.loads(found)["choices"])
    assert first == {**said, "content": f"I am {MARK}."}
    assert second == {"content": "fine"}
    assert verdict.label == "redact"


async def test_what_cannot_be_edited_is_stopped() -> None:
    events = [call('{"who": "' + NAME + '"}', name="f"), delta(finish="stop"), DONE]
    with redacting() as at_desk:
        said, ends = heard(await at_desk.stream(events))

    assert (said, ends) == ({}, {0: "content_filter"})


async def test_who_fires_and_finds_no_place_stops_the_answer() -> None:
    with desk(policy(detector=WordDetector("attack"), action=Action.REDACT)) as at_desk:
        events = [delta(content="attack"), delta(finish="stop"), DONE]
        assert heard(await at_desk.stream(events))[1] == {0: "content_filter"}


@settings(deadline=None, max_examples=25)
@given(before=st.integers(0, 6), lines=st.integers(1, 40), size=st.integers(3, 90))
async def test_a_private_key_is_taken_out_of_a_stream_to_its_end(
    before: int, lines: int, size: int
) -> None:
    body = "".join(f"{'Zq9+/x' * 10}{line:04}\n" for line in range(lines))
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----"
    whole = f"{SENTENCE * before}Here it is:\n{key}\nKeep it. {SENTENCE}"
    with desk(policy(detector=Credentials(), action=Action.REDACT)) as at_desk:
        got = await streamed(at_desk, whole, size)
        leaked = at_desk.sample("ecoguard_answer_leaked_characters_total", mode="hold")

    assert got == whole.replace(key, MARK)
    assert leaked == 0
