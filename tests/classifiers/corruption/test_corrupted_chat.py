"""Chats as the proxy corrupts them, and answers scored under them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers.corruption.corrupted_chat import ChatCorruptor
from classifiers.model_server.endpoint import Message, ModelEndpoint
from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from tests.chat_server import WIDTH, ChatServer, chat_server

QUESTION, ANSWER = "Who is Ann?", "She is a baker."
MESSAGES = [{"role": "user", "content": QUESTION}]
NOISE = Corruption("rand_noise_first_n", WIDTH, 0.4)


@pytest.fixture(params=[300, 259], ids=["spare rows", "none"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ChatServer]:
    with chat_server(tmp_path / "m", {QUESTION: ANSWER}, rows=request.param) as running:
        yield running


@pytest.fixture
def endpoint(server: ChatServer) -> Iterator[ModelEndpoint]:
    with ModelEndpoint(server.url) as opened:
        yield opened


def corruptor(server: ChatServer, corruption: Corruption | None) -> ChatCorruptor:
    embedder = PromptEmbedder.open(server.folder, key=b"key", max_tokens=512)
    return ChatCorruptor(embedder, corruption, "people")


def test_a_user_text_becomes_what_the_proxy_makes_of_it(server: ChatServer) -> None:
    chats = corruptor(server, NOISE)
    embeds = chats.embedder.embed_text(QUESTION, "people", NOISE)
    part = {"type": "prompt_embeds", "data": embeds.data}
    picture: dict[str, Any] = {"type": "image_url", "image_url": {"url": "data:"}}
    system = {"role": "system", "content": "Be short."}
    mixed = [{"type": "text", "text": QUESTION}, picture]
    messages: list[Message] = [system, *MESSAGES, {"role": "user", "content": mixed}]
    chat = chats.chat(messages)
    assert chat.plain == messages
    assert chat.sent == [
        system,
        {"role": "user", "content": [part]},
        {"role": "user", "content": [part, picture]},
    ]


def test_an_answer_is_scored_the_same_whether_or_not_the_model_has_a_spare_row(
    server: ChatServer, endpoint: ModelEndpoint
) -> None:
    clean = corruptor(server, None).answer_logprobs(endpoint, MESSAGES, ANSWER, end_of_turn=True)
    np.testing.assert_allclose(
        clean, endpoint.answer_logprobs(MESSAGES, ANSWER, end_of_turn=True), atol=1e-6
    )
    noisy = corruptor(server, NOISE).answer_logprobs(endpoint, MESSAGES, ANSWER, end_of_turn=True)
    assert noisy.shape == clean.shape
    assert np.ptp(clean - noisy) == pytest.approx(0, abs=1e-6), "the fake's damage, on each token"
    assert 0.2 < (clean - noisy)[0] < 0.6
    assert not server.dead


def test_the_papers_variant_corrupts_the_answers_own_tokens(
    server: ChatServer, endpoint: ModelEndpoint
) -> None:
    scored = corruptor(server, NOISE).answer_logprobs(
        endpoint, MESSAGES, ANSWER, corrupt_answer=True
    )
    assert len(scored) == len(ANSWER)
    asked = [request for request in server.requests if "allowed_token_ids" in request]
    assert len(asked) == len(ANSWER), "a request for each token"
    rows = [server.render(request) for request in asked[1:]]
    said = [np.stack([row for row in pieces if not isinstance(row, int)]) for pieces in rows]
    clean = server.table[list(endpoint.answer_tokens(MESSAGES, ANSWER))].astype(np.float32)
    for position, pieces in enumerate(said, 1):
        answer = pieces[len(QUESTION) :]
        assert len(answer) == position
        assert (answer != clean[:position]).any(axis=1).all()
        np.testing.assert_array_equal(answer, said[-1][len(QUESTION) :][:position])
