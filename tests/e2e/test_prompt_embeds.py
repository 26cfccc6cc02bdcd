"""Corrupted prompt embeddings against a real vLLM: what it reads is what we meant."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from classifiers.model_server.vllm import VllmServer
from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder

pytestmark = pytest.mark.vllm

QUESTION = "Where was the author born, and what did she write?"
NOISE = Corruption("rand_noise_first_n", dims=1, strength=50.0)
SAMPLING = {"max_tokens": 16, "temperature": 0}


@dataclass(frozen=True)
class Answer:
    """The text, each token's logprob, and the prompt's length in tokens as billed."""

    text: str
    logprobs: list[float]
    prompt_tokens: int


@pytest.fixture(scope="module")
def embedder(vllm: VllmServer) -> PromptEmbedder:
    return PromptEmbedder.open(vllm.model, key=b"test key", max_tokens=vllm.max_model_len)


async def post(vllm: VllmServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(vllm.url) as session,
        session.post(path, json={"model": vllm.served_name, **SAMPLING, **body}) as response,
    ):
        answer: dict[str, Any] = await response.json()
        assert response.status == 200, answer
        return answer


async def chat(vllm: VllmServer, content: Any) -> Answer:
    messages = [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": content},
    ]
    answer = await post(
        vllm, "/v1/chat/completions", {"messages": messages, "logprobs": True, "top_logprobs": 1}
    )
    (choice,) = answer["choices"]
    logprobs = [token["logprob"] for token in choice["logprobs"]["content"]]
    return Answer(choice["message"]["content"], logprobs, answer["usage"]["prompt_tokens"])


async def complete(vllm: VllmServer, **prompt: str) -> Answer:
    answer = await post(vllm, "/v1/completions", {"logprobs": 1, **prompt})
    (choice,) = answer["choices"]
    usage = answer["usage"]["prompt_tokens"]
    return Answer(choice["text"], choice["logprobs"]["token_logprobs"], usage)


def part(data: str) -> dict[str, str]:
    return {"type": "prompt_embeds", "data": data}


def assert_same(answer: Answer, expected: Answer) -> None:
    assert answer.text == expected.text
    assert answer.prompt_tokens == expected.prompt_tokens
    assert answer.logprobs == pytest.approx(expected.logprobs, abs=1e-3)


async def test_uncorrupted_rows_in_a_chat_part_are_read_as_the_text(
    vllm: VllmServer, embedder: PromptEmbedder
) -> None:
    embeds = embedder.embed_text(QUESTION, "authors", None)
    assert_same(await chat(vllm, [part(embeds.data)]), await chat(vllm, QUESTION))


async def test_uncorrupted_rows_beside_text_parts_are_read_as_the_text(
    vllm: VllmServer, embedder: PromptEmbedder
) -> None:
    texts = [{"type": "text", "text": text} for text in ("Please say:", QUESTION, "Thank you.")]
    embeds = embedder.embed_text(QUESTION, "authors", None)
    mixed = [texts[0], part(embeds.data), texts[2]]
    assert_same(await chat(vllm, mixed), await chat(vllm, texts))


async def test_uncorrupted_rows_of_a_completions_prompt_are_read_as_the_text(
    vllm: VllmServer, embedder: PromptEmbedder
) -> None:
    embeds = embedder.embed_prompt(QUESTION, "authors", None)
    assert_same(
        await complete(vllm, prompt_embeds=embeds.data), await complete(vllm, prompt=QUESTION)
    )


@pytest.mark.parametrize(
    "corruption", [NOISE, Corruption("zero_out_first_n", 64), Corruption("flip_sign_top_k", 64)]
)
async def test_a_corrupted_chat_part_changes_the_answer_but_not_the_bill_and_is_repeatable(
    vllm: VllmServer, embedder: PromptEmbedder, corruption: Corruption
) -> None:
    clean = await chat(vllm, QUESTION)
    embeds = embedder.embed_text(QUESTION, "authors", corruption)
    corrupted = await chat(vllm, [part(embeds.data)])
    again = embedder.embed_text(QUESTION, "authors", corruption)
    assert corrupted.logprobs != pytest.approx(clean.logprobs, abs=1e-2)
    assert corrupted.prompt_tokens == clean.prompt_tokens
    assert again == embeds
    assert_same(await chat(vllm, [part(again.data)]), corrupted)


async def test_a_corrupted_range_of_a_completions_prompt_changes_the_answer(
    vllm: VllmServer, embedder: PromptEmbedder
) -> None:
    clean = await complete(vllm, prompt=QUESTION)
    start = QUESTION.index("author")
    embeds = embedder.embed_prompt(QUESTION, "authors", NOISE, corrupted=[(start, start + 6)])
    corrupted = await complete(vllm, prompt_embeds=embeds.data)
    assert corrupted.logprobs != pytest.approx(clean.logprobs, abs=1e-2)
    assert corrupted.prompt_tokens == clean.prompt_tokens


async def test_an_extreme_strength_still_gives_finite_logprobs(
    vllm: VllmServer, embedder: PromptEmbedder
) -> None:
    """WMDP's setting in the paper's code: strength 1e6 on the first dimension."""
    embeds = embedder.embed_text(
        QUESTION, "authors", Corruption("rand_noise_first_n", dims=1, strength=1e6)
    )
    answer = await chat(vllm, [part(embeds.data)])
    assert answer.logprobs
    assert all(-100 < logprob <= 0 for logprob in answer.logprobs)
