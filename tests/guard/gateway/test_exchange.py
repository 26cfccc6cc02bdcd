"""Corrupted requests: what goes upstream, and that nothing tells them apart on the way back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter
from tests.fakes import DONE, WordDetector, chat_chunk
from tests.guard.conftest import RigMaker
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint

MODELS = {"demo": {"path": "/nowhere"}}
NOISE = Corruption("rand_noise_first_n", 1, 50.0)
SECRET = ("corrupt", WordDetector("secret"))


@pytest.fixture
def embedder(tmp_path: Path) -> PromptEmbedder:
    folder = write_checkpoint(tmp_path / "model", random_rows(300, 8, np.dtype(np.float32)))
    return PromptEmbedder.open(folder, key=b"k", max_tokens=64)


@pytest.fixture
def rewriter(embedder: PromptEmbedder) -> Rewriter:
    return Rewriter({"demo": embedder}, NOISE, key=b"k")


def parts_of(body: dict[str, Any]) -> list[str]:
    content = body["messages"][-1]["content"]
    return [content] if isinstance(content, str) else [part["type"] for part in content]


async def test_flagged_text_goes_upstream_as_embeddings_only(
    make_rig: RigMaker, rewriter: Rewriter
) -> None:
    async with make_rig(SECRET, rewriter=rewriter, models=MODELS) as rig:
        response = await rig.chat("the secret words")
        metrics = (await rig.client.get("/metrics")).text

    assert response.json() == rig.vllm.answer
    assert parts_of(rig.vllm.requests[0]) == ["prompt_embeds"]
    assert "secret" not in str(rig.vllm.requests)
    assert "ecoguard_corrupted_tokens_total 16.0" in metrics


class NamedSecret(WordDetector):
    """Knows its word as a name."""

    def names_in(self, text: str) -> bool:
        return self.word in text.lower()


async def test_of_a_long_text_only_what_is_about_the_secret_is_corrupted(
    make_rig: RigMaker, tmp_path: Path
) -> None:
    folder = write_checkpoint(tmp_path / "wide", random_rows(300, 8, np.dtype(np.float32)))
    embedder = PromptEmbedder.open(folder, key=b"k", max_tokens=2000)
    rewriter = Rewriter({"demo": embedder}, NOISE, key=b"k")
    other = "The harbour has lamps. " * 30
    text = f"{other}\n\nA secret is here.\n\n{other}"
    async with make_rig(
        ("corrupt", NamedSecret("secret")), rewriter=rewriter, models=MODELS
    ) as rig:
        await rig.chat(text)

    ((part,),) = (message["content"] for message in rig.vllm.requests[0]["messages"])
    first = text.index("A secret")
    passage = (first, first + len("A secret is here.\n\n"))
    expected = embedder.embed_prompt(
        text, "d0", NOISE, add_special_tokens=False, corrupted=[passage]
    )
    assert part["data"] == expected.data


@pytest.mark.parametrize(
    "fields",
    [
        {"stop": ["secret"]},
        {"bad_words": ["secret"]},
        {"structured_outputs": {"choice": ["the secret", "another"]}},
        {"structured_outputs": {"regex": "the secret of [a-z]+"}},
        {"tools": [{"type": "function", "function": {"name": "f", "description": "the secret"}}]},
    ],
)
async def test_a_flagged_setting_is_answered_like_any_other(
    make_rig: RigMaker, rewriter: Rewriter, fields: dict[str, Any]
) -> None:
    async with make_rig(SECRET, rewriter=rewriter, models=MODELS) as rig:
        response = await rig.chat("hello", **fields)

    assert response.status_code == 200
    assert response.json() == rig.vllm.answer
    (sent,) = rig.vllm.requests
    assert sent["messages"] == [{"role": "user", "content": "hello"}]
    assert "secret" not in str(sent)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("temperature must be non-negative", "temperature must be non-negative"),
        ("prompt_embeds must have shape (3, 4)", "The model server refused the request"),
        ("Embeddings are not enabled", "The model server refused the request"),
    ],
)
async def test_upstream_errors_speak_of_no_embeddings(
    make_rig: RigMaker, rewriter: Rewriter, said: str, shown: str
) -> None:
    async with make_rig(SECRET, rewriter=rewriter, models=MODELS) as rig:
        rig.vllm.status = 400
        rig.vllm.answer = {"error": {"message": said, "type": "BadRequestError", "code": 400}}
        response = await rig.chat("the secret")

    assert (response.status_code, response.json()["error"]["message"]) == (400, shown)


async def test_errors_inside_a_stream_speak_of_no_embeddings(
    make_rig: RigMaker, rewriter: Rewriter
) -> None:
    error = b'data: {"error": {"message": "prompt_embeds: bad"}}\n\n'
    async with make_rig(SECRET, rewriter=rewriter, models=MODELS) as rig:
        rig.vllm.script = [chat_chunk("a"), error, DONE]
        stream = (await rig.chat("the secret", stream=True)).text

    assert "prompt_embeds" not in stream
    assert "The model server failed" in stream


async def test_with_embed_all_what_is_not_flagged_goes_as_the_models_own_rows(
    make_rig: RigMaker, embedder: PromptEmbedder
) -> None:
    rewriter = Rewriter({"demo": embedder}, NOISE, key=b"k", embeds_all=True)
    async with make_rig(SECRET, rewriter=rewriter, models=MODELS) as rig:
        for text in ("the harmless words", "the secret words"):
            assert (await rig.chat(text)).json() == rig.vllm.answer
        metrics = (await rig.client.get("/metrics")).text

    kept, corrupted = rig.vllm.requests
    (part,) = kept["messages"][-1]["content"]
    assert part["data"] == embedder.embed_text("the harmless words", "", None).data
    assert parts_of(corrupted) == ["prompt_embeds"]
    assert "ecoguard_corrupted_tokens_total 16.0" in metrics


async def test_with_embed_all_errors_of_any_prompt_speak_of_no_embeddings(
    make_rig: RigMaker, embedder: PromptEmbedder
) -> None:
    rewriter = Rewriter({"demo": embedder}, NOISE, key=b"k", embeds_all=True)
    error = b'data: {"error": {"message": "prompt_embeds: bad"}}\n\n'
    async with make_rig(SECRET, rewriter=rewriter, models=MODELS) as rig:
        rig.vllm.script = [chat_chunk("a"), error, DONE]
        stream = (await rig.chat("harmless", stream=True)).text

    assert "prompt_embeds" not in stream


async def test_embed_all_leaves_calls_alone_that_no_policy_corrupts(
    make_rig: RigMaker, embedder: PromptEmbedder
) -> None:
    rewriter = Rewriter({"demo": embedder}, NOISE, key=b"k", embeds_all=True)
    policy = ("block", WordDetector("secret"))
    async with make_rig(policy, rewriter=rewriter, models=MODELS) as rig:
        await rig.chat("harmless")

    assert parts_of(rig.vllm.requests[0]) == ["harmless"]
