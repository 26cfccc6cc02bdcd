"""Some 300 requests of all shapes at temperature 0, through the proxy and straight to vLLM.

Text, reasons to finish, counts and ids of tokens, log-probabilities, tool calls, the order of
events: what is not in the list of `differences` must be equal, field by field.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain

import httpx2
import pytest

from classifiers.model_server.vllm import VllmServer
from tests.e2e.clients.service import Service, service
from tests.e2e.replay.answers import Reading, differences, read
from tests.e2e.replay.chat import chat_requests, completion_requests
from tests.e2e.replay.conversations import Replayed
from tests.e2e.replay.differences import DIFFERENCES, Found, unexplained
from tests.e2e.replay.translated import messages_requests, responses_requests

REQUESTS = tuple(
    chain(chat_requests(), completion_requests(), responses_requests(), messages_requests())
)
# What no known difference may be about.
ESSENTIAL = (
    "status",
    "choices[].message.content",
    "choices[].delta.content",
    "choices[].text",
    "choices[].finish_reason",
    "choices[].token_ids[]",
    "choices[].message.tool_calls[].function.arguments",
    "usage.prompt_tokens",
    "usage.completion_tokens",
    "usage.input_tokens",
    "usage.output_tokens",
    "last.end.response.usage.input_tokens",
    "last.end.response.usage.output_tokens",
    "last.end.response.status",
    "last.message_delta.delta.stop_reason",
    "deltas.response.output_text.delta 0",
    "deltas.content_block_delta 0",
    "output[].content[].text",
    "output[].arguments",
    "incomplete_details.reason",
    "content[].text",
    "content[].input",
    "stop_reason",
)


@pytest.fixture(scope="module")
def proxy(vllm: VllmServer) -> Iterator[Service]:
    with service(vllm, "error") as made:
        yield made


@pytest.fixture(scope="module")
def replayed(vllm: VllmServer, proxy: Service) -> dict[str, Found]:
    """By request, what the two answers say differently."""
    headers = {"authorization": f"Bearer {proxy.key}"}
    with httpx2.Client(headers=headers, timeout=60) as client:
        ask = partial(_answer, client)
        return {request.name: _compared(ask, vllm.url, proxy.root, request) for request in REQUESTS}


def _compared(ask: partial[Reading], direct: str, proxied: str, request: Replayed) -> Found:
    """What differs; where anything unknown does, vLLM is asked once more.

    It may itself answer otherwise once the prompt stands in its cache.
    """
    first, answer = ask(direct, request), ask(proxied, request)
    found = differences(first, answer)
    if unexplained(request.route, found):
        found = differences(ask(direct, request), answer)
    return found


def _answer(client: httpx2.Client, url: str, request: Replayed) -> Reading:
    reply = client.post(url + request.route, json=request.body)
    stream = request.body.get("stream") is True
    return read(reply.status_code, request.route, reply.text, stream=stream)


def test_there_are_requests_of_all_shapes() -> None:
    assert len({request.name for request in REQUESTS}) == len(REQUESTS) >= 300
    by_route = dict.fromkeys(("/v1/chat/completions", "/v1/completions"), 0)
    by_route |= {"/v1/responses": 0, "/v1/messages": 0}
    for request in REQUESTS:
        by_route[request.route] += 1
    assert min(by_route.values()) >= 50
    assert sum(request.body.get("stream") is True for request in REQUESTS) >= 100


def test_no_known_difference_is_about_what_the_model_says() -> None:
    routes = {request.route for request in REQUESTS}
    assert not [
        (each.what, place)
        for each in DIFFERENCES
        for place in ESSENTIAL
        for route in routes
        if each.explains(route, place, ("a", "b"))
    ]


@pytest.mark.vllm
def test_the_answers_are_equal(replayed: dict[str, Found]) -> None:
    routes = {request.name: request.route for request in REQUESTS}
    left = {name: unexplained(routes[name], found) for name, found in replayed.items()}
    assert not {name: found for name, found in left.items() if found}


@pytest.mark.vllm
def test_every_known_difference_is_still_there(replayed: dict[str, Found]) -> None:
    routes = {request.name: request.route for request in REQUESTS}
    seen = {
        each.what
        for name, found in replayed.items()
        for place, values in found.items()
        for each in DIFFERENCES
        if each.explains(routes[name], place, values)
    }
    assert seen == {each.what for each in DIFFERENCES}
