"""Answers scored over HTTP by a real vLLM: text, embeddings, and token by token."""

from collections.abc import Iterator

import numpy as np
import pytest

from classifiers.corruption.corrupted_chat import ChatCorruptor
from classifiers.model_server.endpoint import ModelEndpoint
from classifiers.model_server.vllm import VllmServer
from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder

pytestmark = pytest.mark.vllm

QUESTION, ANSWER = "How many days are in a week?", "A week has seven days."
MESSAGES = [{"role": "user", "content": QUESTION}]
NOISE = Corruption("rand_noise_first_n", dims=1, strength=50.0)


@pytest.fixture(scope="module")
def endpoint(vllm: VllmServer) -> Iterator[ModelEndpoint]:
    with ModelEndpoint(vllm.url) as opened:
        yield opened


def corruptor(vllm: VllmServer, corruption: Corruption | None) -> ChatCorruptor:
    embedder = PromptEmbedder.open(vllm.model, key=b"key", max_tokens=vllm.max_model_len)
    return ChatCorruptor(embedder, corruption, "week")


def test_a_known_answer_is_probable_and_ends_its_turn(endpoint: ModelEndpoint) -> None:
    scored = endpoint.answer_logprobs(MESSAGES, ANSWER, end_of_turn=True)
    assert len(scored) == len(endpoint.answer_tokens(MESSAGES, ANSWER)) + 1
    assert np.exp(scored.mean()) > 0.5
    assert endpoint.generate(MESSAGES, 32) == [ANSWER]


def test_all_ways_of_scoring_agree_where_nothing_is_corrupted(
    vllm: VllmServer, endpoint: ModelEndpoint
) -> None:
    text = endpoint.answer_logprobs(MESSAGES, ANSWER, end_of_turn=True)
    clean = corruptor(vllm, None)
    for by_token in (False, True):
        scored = clean.answer_logprobs(
            endpoint, MESSAGES, ANSWER, end_of_turn=True, corrupt_answer=by_token
        )
        np.testing.assert_allclose(scored, text, atol=1e-3)


def test_a_corrupted_question_lowers_the_answers_probability(
    vllm: VllmServer, endpoint: ModelEndpoint
) -> None:
    noisy = corruptor(vllm, NOISE)
    prompt_only = noisy.answer_logprobs(endpoint, MESSAGES, ANSWER)
    with_answer = noisy.answer_logprobs(endpoint, MESSAGES, ANSWER, corrupt_answer=True)
    assert prompt_only.mean() < endpoint.answer_logprobs(MESSAGES, ANSWER).mean() - 0.1
    assert with_answer[0] == pytest.approx(prompt_only[0], abs=1e-3)
    assert with_answer[1:].mean() != pytest.approx(prompt_only[1:].mean(), abs=1e-3)
