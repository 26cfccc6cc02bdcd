"""What surely exceeds the context is refused; what the model might take never is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from guard.gateway.models.context_length import CHARACTERS_PER_TOKEN, ContextLengths, prompts_of
from guard.gateway.models.token_counts import TokenCounts
from guard.screening.workers.turn import OWN_TIME
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import RequestError
from guard.terms.item import Call
from tests.guard.conftest import RigMaker

CONTEXT = 100
LONGEST = CONTEXT * CHARACTERS_PER_TOKEN


def call(**body: Any) -> Call:
    path = "/v1/chat/completions" if "messages" in body else "/v1/completions"
    return Call("chat", path, body, "demo", False, ())


def chat(*texts: str, role: str = "user", **fields: Any) -> Call:
    return call(messages=[{"role": role, "content": text} for text in texts], **fields)


def is_refused(asked: Call, *, counted: bool, context: int | None = CONTEXT) -> bool:
    """By a tokenizer that has a token for each word, or without one."""
    counts = {"demo": TokenCounts(lambda text: len(text.split()))} if counted else {}
    lengths = ContextLengths(lambda _: context, counts)
    try:
        if lengths.may_exceed(asked):
            lengths.check(asked, "", OWN_TIME)
    except RequestError as error:
        return error.code == "context_length_exceeded"
    return False


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (chat("word " * CONTEXT), False),
        (chat("word " * (CONTEXT + 1)), True),
        (chat(*["word " * 60] * 2), True),
        (chat("word " * 1000, role="assistant"), False),  # templates leave thoughts out
        (chat("word " * 1000, role="tool"), True),
        (chat("word " * 1000, role="system"), True),
        (chat("x" * 100_000), False),  # one word: one token
        (call(prompt="word " * CONTEXT), False),
        (call(prompt="word " * (CONTEXT + 1)), True),
        (call(prompt=["word " * 60] * 2), False),  # each is a prompt of its own
        (call(prompt=["word", "word " * (CONTEXT + 1)]), True),
        (call(prompt=[1] * CONTEXT), False),
        (call(prompt=[1] * (CONTEXT + 1)), True),
        (call(prompt=[[1], [1] * (CONTEXT + 1)]), True),
        (call(prompt=[]), False),
        (call(prompt=7), False),
        (call(messages=["word", {"role": "user", "content": None}]), False),
    ],
)
def test_with_a_tokenizer_tokens_are_counted(asked: Call, refused: bool) -> None:
    assert is_refused(asked, counted=True) is refused


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (chat("x" * LONGEST), False),
        (chat("x" * (LONGEST + 1)), True),
        (chat(*["x" * (LONGEST // 2 + 1)] * 2), True),
        (chat("x" + " " * 10 * LONGEST + "x"), False),
        (chat("ä" * (LONGEST + 1)), True),
        (chat("x" * 2 * LONGEST, role="assistant"), False),
        (call(prompt="x" * (LONGEST + 1)), True),
        (call(prompt=["x" * (LONGEST - 1)] * 2), False),
        (call(prompt=[1] * (CONTEXT + 1)), True),
        (call(prompt=[1] * CONTEXT), False),
    ],
)
def test_without_one_only_what_no_tokens_could_hold_is_refused(asked: Call, refused: bool) -> None:
    assert is_refused(asked, counted=False) is refused


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"max_tokens": CONTEXT}, False),
        ({"max_tokens": CONTEXT + 1}, True),
        ({"max_completion_tokens": CONTEXT + 1}, True),
        ({"max_completion_tokens": 5, "max_tokens": CONTEXT + 1}, False),  # vLLM takes the first
        ({"max_tokens": None}, False),
    ],
)
def test_the_tokens_asked_for_are_bounded_by_themselves(
    fields: dict[str, Any], refused: bool
) -> None:
    assert is_refused(chat("word " * (CONTEXT - 1), **fields), counted=True) is refused


@pytest.mark.parametrize("counted", [True, False])
def test_nothing_is_refused_where_nobody_has_told_the_context(counted: bool) -> None:
    asked = chat("word " * 1_000_000, max_tokens=10**9)
    assert not is_refused(asked, counted=counted, context=None)
    ContextLengths(lambda _: None, {}).check(asked, "", OWN_TIME)


def test_the_parts_of_a_message_are_counted_as_one_text() -> None:
    parts = [{"type": "text", "text": "un"}, {"type": "image_url"}, {"type": "text", "text": "do "}]
    (prompt,) = prompts_of(call(messages=[{"role": "user", "content": parts}]))

    assert prompt.texts == ("undo",)


def test_short_prompts_are_not_counted() -> None:
    lengths = ContextLengths(lambda _: CONTEXT, {})

    assert not lengths.may_exceed(chat("x" * CONTEXT))
    assert lengths.may_exceed(chat("x" * (CONTEXT + 1)))
    assert lengths.may_exceed(chat("世" * 30))


class Reader(Detector):
    """Notes what it reads."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        self.read += texts
        return np.zeros(len(texts), dtype=np.float32)


LONG = "x" * (512 * CHARACTERS_PER_TOKEN + 1)


@pytest.mark.parametrize(
    ("route", "body", "read"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": LONG}]}, "code"),
        ("/v1/completions", {"prompt": LONG}, "code"),
        ("/v1/responses", {"input": LONG}, "code"),
        (
            "/v1/messages",
            {"messages": [{"role": "user", "content": LONG}], "max_tokens": 9},
            "type",
        ),
    ],
)
async def test_it_is_refused_in_the_protocols_own_form_and_never_read(
    make_rig: RigMaker, route: str, body: dict[str, Any], read: str
) -> None:
    """Once the server has told its context: 512 tokens."""
    detector = Reader()
    options = {"health_s": 0.05, "send_early": False}
    async with make_rig(("block", detector), upstream_options=options) as rig:
        while (answer := await rig.client.post(route, json={"model": "demo", **body})).is_success:
            detector.read.clear()
        error = answer.json()["error"]

    assert answer.status_code == 400
    assert "maximum context length is 512 tokens" in error["message"]
    assert error[read] in ("context_length_exceeded", "invalid_request_error")
    assert detector.read == []
