"""A corrupted request must not be told apart, and nothing may give its prompt back."""

from itertools import groupby
from typing import Any

import httpx2
import orjson
import pytest

from classifiers.model_server.vllm import VllmServer
from tests.e2e.bypass.answers import assert_refused
from tests.e2e.bypass.canary import BENIGN, CANARY
from tests.e2e.bypass.rig import BOB, Proxy
from tests.e2e.bypass.vectors.vector import (
    CHAT,
    COMPLETIONS,
    MESSAGES,
    RESPONSES,
    Body,
    asked,
    chat,
    complete,
    function,
    message,
    respond,
    text,
    user,
)

pytestmark = pytest.mark.vllm

LEAKING: dict[str, Any] = {
    "echo": True,
    "prompt_logprobs": 0,
    "return_token_ids": True,
    "return_token_offsets": True,
    "use_beam_search": True,
}
LEAKS = [
    *((CHAT, name, value) for name, value in LEAKING.items()),
    *((COMPLETIONS, name, value) for name, value in LEAKING.items()),
    (CHAT, "return_prompt_text", True),
    (CHAT, "echo", 1),
    (CHAT, "echo", "true"),
    (CHAT, "prompt_logprobs", -1),
    (RESPONSES, "enable_response_messages", True),
]


def prompt_of(route: str, said: str, **fields: Any) -> Body:
    """A request that says something, on any route."""
    if route == COMPLETIONS:
        return complete(said, **fields)
    if route == RESPONSES:
        return respond(said, **fields)
    return {CHAT: chat, MESSAGES: message}[route](user(said), **fields)


@pytest.mark.parametrize(("route", "name", "value"), LEAKS)
def test_leaking_fields_are_refused_whatever_the_prompt(
    corrupting: Proxy, route: str, name: str, value: Any
) -> None:
    benign, canary = (
        corrupting.post(route, prompt_of(route, said, **{name: value})) for said in (BENIGN, CANARY)
    )

    assert_refused(benign, route, 400, name)
    assert canary.content == benign.content
    assert corrupting.recorder.requests == []


@pytest.mark.parametrize("route", [RESPONSES, MESSAGES])
@pytest.mark.parametrize("name", ["echo", "return_token_ids"])
def test_leaking_fields_that_a_protocol_does_not_have_are_dropped(
    corrupting: Proxy, route: str, name: str
) -> None:
    answer = corrupting.post(route, prompt_of(route, BENIGN, **{name: True}))

    assert answer.headers["x-ecoguard-dropped-fields"] == name
    assert name not in orjson.loads(corrupting.sent_on()[0].body)


@pytest.mark.parametrize("name", sorted(LEAKING.keys() - {"prompt_logprobs"}))
def test_leaking_fields_that_are_off_are_no_obstacle(corrupting: Proxy, name: str) -> None:
    answer = corrupting.post(CHAT, chat(user(CANARY), **{name: False}))

    assert answer.status_code == 200
    assert corrupting.traces() == []


# Exactly as many tokens every time, so that answers differ in their words alone.
LENGTH = {"max_tokens": 2, "min_tokens": 2, "temperature": 0}
# So many that they never all fit into one event, whose shape would be the last one's.
STREAMED = {**LENGTH, "max_tokens": 32, "min_tokens": 32}
CHAT_SETTINGS: dict[str, Body] = {
    "plain": {},
    "logprobs": {"logprobs": True, "top_logprobs": 3},
    "logprobs as ids": {"logprobs": True, "return_tokens_as_token_ids": True},
    "chosen logprobs": {"logprobs": True, "logprob_token_ids": [5, 6]},
    "several choices": {"n": 3, "temperature": 1, "seed": 1},
    "penalties": {"frequency_penalty": 1, "presence_penalty": 1, "repetition_penalty": 1.3},
    "bias": {"logit_bias": {"70": 5, "71": -100}},
    "allowed tokens": {"allowed_token_ids": [70, 71, 72]},
    "bad words": {"bad_words": ["river"]},
    "stop": {"stop": ["zz"], "include_stop_str_in_output": True},
    "stop tokens": {"stop_token_ids": [5]},
    "choice": {"structured_outputs": {"choice": ["yes", "no"]}, "min_tokens": 0},
    "JSON": {"response_format": {"type": "json_object"}},
    "tools": {"tools": [function()], "tool_choice": "none"},
    "documents": {"documents": [{"title": "a", "text": "b"}]},
    "sampling": {"temperature": 0.7, "top_k": 5, "top_p": 0.9, "min_p": 0.1, "seed": 7},
    "end ignored": {"ignore_eos": True},
    "special tokens": {"skip_special_tokens": False, "spaces_between_special_tokens": False},
    "effort": {"reasoning_effort": "high"},
    "reasoning": {"include_reasoning": False},
    "repetition": {"repetition_detection": {"max_pattern_size": 3, "min_count": 3}},
    "metadata": {"metadata": {"a": "b"}, "user": "u", "store": False, "service_tier": "auto"},
    "no generation prompt": {"add_generation_prompt": False},
}


@pytest.mark.parametrize("settings", CHAT_SETTINGS.values(), ids=CHAT_SETTINGS)
def test_a_corrupted_chat_answer_looks_as_the_models_own(
    corrupting: Proxy, vllm: VllmServer, settings: Body
) -> None:
    assert_looks_the_same(corrupting, vllm, CHAT, {**chat(user(CANARY)), **LENGTH, **settings})


COMPLETION_SETTINGS: dict[str, Body] = {
    "plain": {},
    "logprobs": {"logprobs": 3},
    "several choices": {"n": 2, "temperature": 1, "seed": 1},
    "several prompts": {"prompt": [BENIGN, CANARY, BENIGN]},
    "without special tokens": {"skip_special_tokens": False},
    "penalties": {"repetition_penalty": 1.3, "frequency_penalty": 0.5},
}


@pytest.mark.parametrize("settings", COMPLETION_SETTINGS.values(), ids=COMPLETION_SETTINGS)
def test_a_corrupted_completion_looks_as_the_models_own(
    corrupting: Proxy, vllm: VllmServer, settings: Body
) -> None:
    body = {**complete(CANARY), **LENGTH, **settings}
    assert_looks_the_same(corrupting, vllm, COMPLETIONS, body)


def test_a_prompt_in_parts_and_turns_looks_as_the_models_own(
    corrupting: Proxy, vllm: VllmServer
) -> None:
    body = {**asked(text("Hello."), text(f" {CANARY}"), text(" Please.")), **LENGTH}
    body["messages"] = [
        {"role": "system", "content": "Be kind."},
        user(CANARY),
        {"role": "assistant", "content": "No."},
        *body["messages"],
    ]
    assert_looks_the_same(corrupting, vllm, CHAT, body)


@pytest.mark.parametrize("route", [CHAT, COMPLETIONS])
def test_a_corrupted_stream_looks_as_the_models_own(
    corrupting: Proxy, vllm: VllmServer, route: str
) -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}
    body = prompt_of(route, CANARY, stream=True, stream_options=options)
    ours, theirs = (
        events_of(answer) for answer in both(corrupting, vllm, route, {**body, **STREAMED})
    )

    # How many tokens an event holds is a matter of timing: equal shapes in a row count once.
    assert successive_shapes(ours) == successive_shapes(theirs)
    assert ours[-1]["usage"] == theirs[-1]["usage"]


def both(proxy: Proxy, vllm: VllmServer, route: str, body: Body) -> list[httpx2.Response]:
    """The proxy's answer, whose prompt was corrupted, and the unguarded model's."""
    ours = proxy.post(route, body)
    assert b"prompt_embeds" in proxy.sent_on()[-1].body
    assert proxy.traces() == []
    return [ours, httpx2.post(vllm.url + route, json=body, trust_env=False)]


def assert_looks_the_same(proxy: Proxy, vllm: VllmServer, route: str, body: Body) -> None:
    ours, theirs = both(proxy, vllm, route, body)

    assert (ours.status_code, theirs.status_code) == (200, 200), ours.text + theirs.text
    assert shape(ours.json()) == shape(theirs.json())
    assert ours.json()["usage"] == theirs.json()["usage"]
    assert CANARY not in ours.text


def successive_shapes(events: list[Body]) -> list[Any]:
    return [found for found, _ in groupby(map(shape, events))]


def events_of(answer: httpx2.Response) -> list[Body]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    return [orjson.loads(line) for line in lines[:-1]]


def shape(value: Any) -> Any:
    """A JSON value without its words and numbers."""
    if isinstance(value, dict):
        # Where the keys are tokens, they are words.
        return {
            key: len(inner) if key == "top_logprobs" else shape(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        # Bytes of a token are as many as its letters.
        numbers = all(isinstance(inner, int) for inner in value)
        return "numbers" if numbers else [shape(inner) for inner in value]
    return type(value).__name__


# What vLLM refuses, with its words for it.
MISTAKES: dict[str, Body] = {
    "too many tokens": {"max_tokens": 100_000},
    "negative temperature": {"temperature": -1},
    "top_p above one": {"top_p": 5},
    "no choices": {"n": 0},
    "more tokens at least than at most": {"min_tokens": 5, "max_tokens": 2},
    "negative seed": {"seed": "a"},
    "too many logprobs": {"logprobs": True, "top_logprobs": 90},
    "broken regex": {"structured_outputs": {"regex": "("}},
    "two constraints": {"structured_outputs": {"regex": "a", "choice": ["a"]}},
    "token beyond the vocabulary": {"logprob_token_ids": [10**9], "logprobs": True},
    "options without a stream": {"stream_options": {"include_usage": True}},
    "contradiction": {"continue_final_message": True},
    "unknown effort": {"reasoning_effort": "5"},
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_errors_do_not_tell_a_corrupted_prompt_apart(corrupting: Proxy, mistake: Body) -> None:
    said = (f"{CANARY} now", f"{CANARY.replace('forbidden', 'permitted')} now")
    canary, benign = (corrupting.post(CHAT, {**chat(user(each)), **mistake}) for each in said)

    assert (canary.status_code, canary.content) == (benign.status_code, benign.content)
    assert 400 <= canary.status_code < 500
    corrupting.assert_serves()


@pytest.mark.parametrize("route", [CHAT, COMPLETIONS, RESPONSES, MESSAGES])
def test_a_prompt_that_is_too_long_is_refused_alike(corrupting: Proxy, route: str) -> None:
    canary, benign = (
        corrupting.post(route, prompt_of(route, "Hm. " * 1000 + said)) for said in (CANARY, BENIGN)
    )

    assert (canary.status_code, benign.status_code) == (400, 400)
    assert shape(canary.json()) == shape(benign.json())
    assert corrupting.traces() == []


def test_the_placeholder_of_embeddings_in_a_text_is_a_client_error(
    blocking: Proxy, corrupting: Proxy
) -> None:
    for proxy in (blocking, corrupting):
        answer = proxy.post(CHAT, chat(user("What is <prompt_embeds>?"), user(CANARY)))
        assert answer.status_code == 400, answer.text
        answer = proxy.post(CHAT, chat(user("What is <prompt_embeds>?")))
        assert answer.status_code == 400, answer.text
        proxy.assert_serves()


def test_an_answer_belongs_to_the_key_that_asked(corrupting: Proxy) -> None:
    stored = corrupting.post(RESPONSES, respond(CANARY))
    assert stored.status_code == 200, stored.text
    response_id = stored.json()["id"]

    continued = corrupting.post(RESPONSES, respond(previous_response_id=response_id), key=BOB)
    assert_refused(continued, RESPONSES, 404, "previous_response_id")
    bob = {"authorization": f"Bearer {BOB}"}
    for method in ("GET", "DELETE"):
        answer = corrupting.client.request(method, f"{RESPONSES}/{response_id}", headers=bob)
        assert answer.status_code == 404


def test_a_stored_turn_is_judged_again_when_it_is_continued(corrupting: Proxy) -> None:
    first = corrupting.post(RESPONSES, respond(CANARY)).json()["id"]
    corrupting.forget()

    second = corrupting.post(RESPONSES, respond(previous_response_id=first))

    assert second.status_code == 200, second.text
    assert b"prompt_embeds" in corrupting.sent_on()[0].body
    assert corrupting.traces() == []


def test_a_prompt_split_over_stored_turns_is_seen(blocking: Proxy) -> None:
    first = blocking.post(RESPONSES, respond("tell me how to build the")).json()["id"]

    answer = blocking.post(
        RESPONSES, respond("forbidden machine, please", previous_response_id=first)
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "content_filter"
