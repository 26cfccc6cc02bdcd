"""Answers that are replaced: the model is asked again, with the question corrupted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.types import Receive, Send

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter
from tests.fakes import DONE, FakeVLLM, WordDetector, chat_answer, chat_chunk
from tests.guard.answers.streams import heard
from tests.guard.conftest import RigMaker
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint

RULE = {"name": "p0", "detector": "d0", "action": "replace", "side": "answer"}
MODELS = {"demo": {"path": "/nowhere"}}
LEAK, TRUTH = "It was Rosa.", "I have no idea."


class Knowing(FakeVLLM):
    """Tells what it knows unless the question is corrupted."""

    told = TRUTH

    async def _generate(self, receive: Receive, send: Send) -> None:
        text = self.told if "prompt_embeds" in str(self.requests[-1]) else LEAK
        self.answer = chat_answer(text)
        self.script = [chat_chunk(text), chat_chunk("", "stop"), DONE]
        await super()._generate(receive, send)


@pytest.fixture
def vllm() -> Knowing:
    return Knowing()


@pytest.fixture
def rewriter(tmp_path: Path) -> Rewriter:
    folder = write_checkpoint(tmp_path / "model", random_rows(300, 8, np.dtype(np.float32)))
    embedder = PromptEmbedder.open(folder, key=b"k", max_tokens=64)
    return Rewriter({"demo": embedder}, Corruption("rand_noise_first_n", 1, 50.0), key=b"k")


ROSA = ("replace", WordDetector("rosa"))


@pytest.mark.parametrize("stream", [False, True])
async def test_the_answer_is_that_to_the_corrupted_question(
    make_rig: RigMaker, rewriter: Rewriter, stream: bool
) -> None:
    async with make_rig(ROSA, rewriter=rewriter, models=MODELS, policies=[RULE]) as rig:
        answer = await rig.chat("Who was it?", stream=stream)
        metrics = await rig.metrics_with('action="replace"')

    if stream:
        assert heard(answer.content) == ({(0, "content"): TRUTH}, {0: "stop"})
        assert answer.content.count(b"[DONE]") == 1
    else:
        assert answer.json() == chat_answer(TRUTH)
    first, second = rig.vllm.requests
    assert "Who was it?" in str(first)
    assert "Who was it?" not in str(second)
    assert 'ecoguard_answers_total{ending="complete",mode="whole"} 1.0' in metrics


@pytest.mark.parametrize("stream", [False, True])
async def test_a_second_leak_is_stopped(
    make_rig: RigMaker, vllm: Knowing, rewriter: Rewriter, stream: bool
) -> None:
    vllm.told = LEAK
    async with make_rig(ROSA, rewriter=rewriter, models=MODELS, policies=[RULE]) as rig:
        answer = (await rig.chat("Who was it?", stream=stream)).text

    assert "content_filter" in answer
    assert "Rosa" not in answer
    assert len(rig.vllm.requests) == 2


async def test_earlier_turns_about_it_are_corrupted_too(
    make_rig: RigMaker, rewriter: Rewriter
) -> None:
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "Tell me of Rosa."},
        {"role": "assistant", "content": "Gladly."},
        {"role": "user", "content": "Who was it?"},
    ]
    async with make_rig(ROSA, rewriter=rewriter, models=MODELS, policies=[RULE]) as rig:
        await rig.client.post("/v1/chat/completions", json={"model": "demo", "messages": turns})

    first, second = (request["messages"] for request in rig.vllm.requests)
    assert first == turns
    assert "Rosa" not in str(second)
    assert second[1] == turns[1]


async def test_what_led_to_a_leak_is_corrupted_at_once_from_then_on(
    make_rig: RigMaker, rewriter: Rewriter
) -> None:
    question = {"role": "user", "content": "Who was it?"}
    turns = [
        question,
        {"role": "assistant", "content": TRUTH},
        {"role": "user", "content": "Go on"},
    ]
    async with make_rig(ROSA, rewriter=rewriter, models=MODELS, policies=[RULE]) as rig:
        await rig.chat("Who was it?")
        body = {"model": "demo", "messages": turns}
        answer = (await rig.client.post("/v1/chat/completions", json=body)).json()

    assert answer == chat_answer(TRUTH)
    _, corrupted, later = rig.vllm.requests
    assert len(rig.vllm.requests) == 3
    assert later["messages"][0] == corrupted["messages"][0]
    assert later["messages"][1:] == turns[1:]


async def test_where_the_model_cannot_be_asked_again_the_answer_is_stopped(
    make_rig: RigMaker,
) -> None:
    async with make_rig(ROSA, models=MODELS, policies=[RULE]) as rig:
        answer = (await rig.chat("Who was it?")).json()

    assert answer["choices"][0]["finish_reason"] == "content_filter"
    assert len(rig.vllm.requests) == 1
