"""The endpoint client against a fake vLLM over real HTTP."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from classifiers.model_server.endpoint import Chat, ModelEndpoint, Said
from classifiers.model_server.http_client import EndpointError
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import embeds_part
from guard.terms.errors import ConfigError
from tests.chat_server import END, ChatServer, chat_server

QUESTION, ANSWER = "Who is Ann?", "She is a baker."
MESSAGES = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChatServer]:
    with chat_server(tmp_path / "model", {QUESTION: ANSWER}) as running:
        yield running


@pytest.fixture
def endpoint(server: ChatServer) -> Iterator[ModelEndpoint]:
    with ModelEndpoint(server.url, first_pause=0.001, retries=2) as opened:
        yield opened


def embedded(folder: Path) -> Chat:
    embedder = PromptEmbedder.open(folder, key=b"key", max_tokens=512)
    part = embeds_part(embedder.embed_text(QUESTION, "people", None))
    return Chat(MESSAGES, [{"role": "user", "content": [part]}])


def expected(answer: str) -> list[float]:
    """What the fake says of each byte of the answer that it knows."""
    return [-0.1 * (1 + at % 3) for at in range(len(answer))]


def test_answers_are_greedy_unless_asked_otherwise(
    endpoint: ModelEndpoint, server: ChatServer
) -> None:
    assert endpoint.generate(MESSAGES, 100) == [ANSWER]
    assert endpoint.generate(MESSAGES, 7, temperature=0.7, n=3, seed=5) == [ANSWER[:7]] * 3
    first, second = server.requests
    assert (first["temperature"], first["n"], "seed" in first) == (0.0, 1, False)
    assert (second["temperature"], second["n"], second["seed"]) == (0.7, 3, 5)


def test_a_greedy_answer_comes_with_how_likely_it_was(
    endpoint: ModelEndpoint, server: ChatServer
) -> None:
    said = endpoint.greedy(embedded(server.folder), 5)
    assert said == Said(ANSWER[:5], (-0.1,) * 5)
    assert server.requests[-1]["temperature"] == 0


@pytest.mark.parametrize("think", [False, True])
def test_only_the_answers_tokens_are_scored(
    endpoint: ModelEndpoint, server: ChatServer, think: bool
) -> None:
    """Also where the template opens a new answer with more than it keeps of an old one."""
    server.think = think
    assert endpoint.answer_logprobs(MESSAGES, ANSWER).tolist() == expected(ANSWER)
    closed = endpoint.answer_logprobs(MESSAGES, ANSWER, end_of_turn=True)
    assert closed.tolist() == expected(ANSWER + "."), "the line break behind it is not scored"
    assert endpoint.answer_tokens(MESSAGES, ANSWER, end_of_turn=True)[-1] == END


def test_an_answers_tokens_are_asked_for_once(endpoint: ModelEndpoint, server: ChatServer) -> None:
    for _ in range(3):
        endpoint.answer_logprobs(MESSAGES, ANSWER)
    paths = [request["path"] for request in server.requests]
    assert paths.count("/tokenize") == 2
    assert paths.count("/v1/chat/completions") == 3


def test_a_chat_with_embeddings_is_scored_like_its_text(
    endpoint: ModelEndpoint, server: ChatServer
) -> None:
    chat = embedded(server.folder)
    scored = endpoint.answer_logprobs(chat, ANSWER)
    np.testing.assert_allclose(scored, expected(ANSWER), atol=1e-6)
    assert endpoint.generate(chat, 100) == [ANSWER]


def test_a_model_without_a_spare_row_is_never_asked_what_ends_the_engine(tmp_path: Path) -> None:
    with (
        chat_server(tmp_path / "full", {QUESTION: ANSWER}, rows=259) as server,
        ModelEndpoint(server.url) as endpoint,
    ):
        chat = embedded(server.folder)
        for _ in range(2):
            with pytest.raises(EndpointError, match="no spare vocabulary row"):
                endpoint.answer_logprobs(chat, ANSWER)
        assert not server.dead
        assert sum("logit_bias" in request for request in server.requests) == 1
        assert endpoint.answer_logprobs(MESSAGES, ANSWER).tolist() == expected(ANSWER)


def test_a_token_can_be_scored_alone(endpoint: ModelEndpoint) -> None:
    ids = endpoint.answer_tokens(MESSAGES, ANSWER)
    said = {"role": "assistant", "content": ANSWER[:2]}
    assert endpoint.next_logprob(MESSAGES, ids[0]) == pytest.approx(-0.1)
    assert endpoint.next_logprob([*MESSAGES, said], ids[2]) == pytest.approx(-0.3)
    assert endpoint.next_logprob([*MESSAGES, said], ids[0]) == -3.0


def test_a_busy_server_is_asked_again_and_the_cost_is_counted(
    endpoint: ModelEndpoint, server: ChatServer
) -> None:
    server.failures = [503, 429]
    assert endpoint.generate(MESSAGES, 100) == [ANSWER]
    assert len(server.requests) == 3
    assert endpoint.cost.requests == 1
    assert endpoint.cost.seconds > 0


def test_a_part_of_the_work_has_a_cost_of_its_own(endpoint: ModelEndpoint) -> None:
    part = endpoint.counted()
    endpoint.generate(MESSAGES, 100)
    part.generate(MESSAGES, 100)
    assert (part.cost.requests, endpoint.cost.requests) == (1, 2)


def test_what_stays_broken_is_told_with_its_reason(
    endpoint: ModelEndpoint, server: ChatServer
) -> None:
    server.failures = [503] * 3
    with pytest.raises(EndpointError, match="completions: status 503: busy"):
        endpoint.generate(MESSAGES, 100)
    server.failures = [400]
    with pytest.raises(EndpointError, match="status 400: busy"):
        endpoint.generate(MESSAGES, 100)
    assert len(server.requests) == 4, "a refusal is final"
    server.dead = True
    with pytest.raises(EndpointError, match="no answer"):
        endpoint.generate(MESSAGES, 100)


def test_a_guards_refusal_says_nothing(endpoint: ModelEndpoint, server: ChatServer) -> None:
    server.failures, server.code = [400], "content_filter"
    assert endpoint.generate(MESSAGES, 8, n=3) == ["", "", ""]


def test_an_answer_of_another_kind_is_told(endpoint: ModelEndpoint, server: ChatServer) -> None:
    server.failures = [200]
    with pytest.raises(EndpointError, match="no usable choices"):
        endpoint.generate(MESSAGES, 100)


def test_an_empty_answer_cannot_be_scored(endpoint: ModelEndpoint) -> None:
    with pytest.raises(EndpointError, match="without a token"):
        endpoint.answer_logprobs(MESSAGES, "")


def test_many_requests_are_in_flight_but_no_more_than_allowed(
    server: ChatServer, endpoint: ModelEndpoint
) -> None:
    chats = [[{"role": "user", "content": f"Question {number}"}] for number in range(40)]
    server.answers = {f"Question {number}": f"Answer {number}" for number in range(40)}
    answers = endpoint.each(lambda chat: endpoint.generate(chat, 100)[0], chats)
    assert answers == list(server.answers.values())
    assert server.most_in_flight <= endpoint.connections


def test_a_failure_is_the_batchs(server: ChatServer, endpoint: ModelEndpoint) -> None:
    server.failures = [400]
    with pytest.raises(EndpointError, match="busy"):
        endpoint.each(lambda chat: endpoint.generate(chat, 100), [MESSAGES] * 10)


def test_a_model_that_is_not_served_is_a_configuration_error(server: ChatServer) -> None:
    with pytest.raises(ConfigError, match="serves no other"):
        ModelEndpoint(server.url, "other")
