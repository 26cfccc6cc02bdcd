"""Judged answers, read by the official clients in all four protocols, over a real vLLM."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from anthropic import Anthropic
from openai import OpenAI

from classifiers.model_server.vllm import VllmServer
from guard.server.app import create_app
from guard.settings import Release, Settings
from tests.e2e.clients.requests import QUESTION, asking
from tests.e2e.clients.service import KEY
from tests.e2e.serving import served

pytestmark = pytest.mark.vllm

TOKENS = 150
LONG = {"min_tokens": 100}
MODES: tuple[Release, ...] = ("hold", "tail", "whole")


class Answer(NamedTuple):
    """What a client made of an answer: its text, and its protocol's word for how it ended."""

    text: str
    ending: str | None


class Clients(NamedTuple):
    """OpenAI's and Anthropic's client of one server."""

    openai: OpenAI
    anthropic: Anthropic


@contextmanager
def clients(root: str) -> Iterator[Clients]:
    with (
        OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as openai,
        Anthropic(base_url=root, api_key=KEY, max_retries=0) as anthropic,
    ):
        yield Clients(openai, anthropic)


@contextmanager
def guarded(vllm: VllmServer, phrase: str, mode: Release) -> Iterator[Clients]:
    """Clients of an EcoGuard that lets no answer say a phrase."""
    policy = {"name": "p", "detector": "d", "action": "block", "side": "answer", "mode": mode}
    settings = Settings.model_validate(
        {
            "upstream": {"url": vllm.url},
            "models": {vllm.served_name: {"path": vllm.model}},
            "detectors": {"d": {"kind": "phrases", "phrases": [phrase]}},
            "policies": [policy],
            "keys": [{"name": "client", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}],
        }
    )
    with served(create_app(settings)) as root, clients(root) as made:
        yield made


def chat(to: Clients) -> Answer:
    answer = to.openai.chat.completions.create(
        model="demo", messages=asking(QUESTION), max_tokens=TOKENS, temperature=0
    )
    return Answer(answer.choices[0].message.content or "", answer.choices[0].finish_reason)


def chat_stream(to: Clients) -> Answer:
    stream = to.openai.chat.completions.create(
        model="demo", messages=asking(QUESTION), max_tokens=TOKENS, temperature=0, stream=True
    )
    choices = [chunk.choices[0] for chunk in stream if chunk.choices]
    text = "".join(choice.delta.content or "" for choice in choices)
    return Answer(text, choices[-1].finish_reason)


def completion(to: Clients) -> Answer:
    answer = to.openai.completions.create(
        model="demo", prompt=QUESTION, max_tokens=TOKENS, temperature=0, extra_body=LONG
    )
    return Answer(answer.choices[0].text, answer.choices[0].finish_reason)


def completion_stream(to: Clients) -> Answer:
    stream = to.openai.completions.create(
        model="demo",
        prompt=QUESTION,
        max_tokens=TOKENS,
        temperature=0,
        stream=True,
        extra_body=LONG,
    )
    choices = [chunk.choices[0] for chunk in stream if chunk.choices]
    return Answer("".join(choice.text for choice in choices), choices[-1].finish_reason)


def response(to: Clients) -> Answer:
    answer = to.openai.responses.create(
        model="demo", input=QUESTION, max_output_tokens=TOKENS, temperature=0
    )
    details = answer.incomplete_details
    return Answer(answer.output_text, details.reason if details else None)


def response_stream(to: Clients) -> Answer:
    events = to.openai.responses.create(
        model="demo", input=QUESTION, max_output_tokens=TOKENS, temperature=0, stream=True
    )
    text, ending = "", None
    for event in events:
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            details = event.response.incomplete_details
            ending = details.reason if details else None
            assert event.response.output_text == text
    return Answer(text, ending)


def message(to: Clients) -> Answer:
    answer = to.anthropic.messages.create(
        model="demo",
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=TOKENS,
        extra_body={"temperature": 0},
    )
    text = "".join(block.text for block in answer.content if block.type == "text")
    return Answer(text, answer.stop_reason)


def message_stream(to: Clients) -> Answer:
    with to.anthropic.messages.stream(
        model="demo",
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=TOKENS,
        extra_body={"temperature": 0},
    ) as stream:
        text = "".join(stream.text_stream)
        return Answer(text, stream.get_final_message().stop_reason)


# A way to ask, the same without a stream, and the protocol's word for a filtered answer.
WAYS: dict[str, tuple[Callable[[Clients], Answer], Callable[[Clients], Answer], str]] = {
    "chat": (chat_stream, chat, "content_filter"),
    "completions": (completion_stream, completion, "content_filter"),
    "responses": (response_stream, response, "content_filter"),
    "messages": (message_stream, message, "refusal"),
}


def words_inside(text: str) -> str:
    """Two words in the middle of a text, to be forbidden."""
    pairs = [found.group() for found in re.finditer(r"\b[A-Za-z]+ [A-Za-z]+\b", text)]
    return next(pair for pair in pairs if text.lower().find(pair.lower()) > 15)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_what_a_client_gets_is_a_prefix_of_what_the_model_said(
    vllm: VllmServer, way: str, mode: Release
) -> None:
    stream, whole, word = WAYS[way]
    with guarded(vllm, "never said by anybody", mode) as unhindered:
        said, streamed = whole(unhindered), stream(unhindered)
    phrase = words_inside(said.text)
    with guarded(vllm, phrase, mode) as hindered:
        stopped, cut = whole(hindered), stream(hindered)

    assert streamed == said
    assert stopped == ("", word)
    assert cut.ending == word
    assert said.text.startswith(cut.text)
    if mode != "tail":
        assert len(cut.text) <= said.text.lower().find(phrase.lower())


def test_without_an_objection_an_answer_is_vllms_own(vllm: VllmServer) -> None:
    with guarded(vllm, "never said by anybody", "hold") as judged, clients(vllm.url) as direct:
        answers = [
            to.openai.chat.completions.create(
                model="demo",
                messages=asking(QUESTION),
                max_tokens=40,
                temperature=0.9,
                seed=7,
                n=3,
                logprobs=True,
                stream=True,
                stream_options={"include_usage": True},
            )
            for to in (judged, direct)
        ]
        chunks = [list(answer) for answer in answers]

    def told(index: int, number: int) -> tuple[str, list[str], str | None]:
        own = [c.choices[0] for c in chunks[index] if c.choices and c.choices[0].index == number]
        tokens = [t.token for c in own if c.logprobs for t in c.logprobs.content or ()]
        return "".join(c.delta.content or "" for c in own), tokens, own[-1].finish_reason

    assert [told(0, number) for number in range(3)] == [told(1, number) for number in range(3)]
    assert chunks[0][-1].usage == chunks[1][-1].usage
    assert all(told(0, number)[1] for number in range(3))
