"""`ecoguard check --online` against a real vLLM, and what a chat model says of embeddings."""

import asyncio
from typing import Any

import httpx2
import pytest

from classifiers.model_server.vllm import VllmServer
from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter
from guard.gateway.loading import Resources
from guard.gateway.online_checks import check_online
from guard.server.app import create_app
from guard.settings import Settings
from guard.upstream.discovery import discover
from tests.e2e.serving import served

pytestmark = pytest.mark.vllm


def outcomes(vllm: VllmServer, **sections: Any) -> list[str]:
    settings = Settings.model_validate({"upstream": {"url": vllm.url}, **sections})
    embedder = PromptEmbedder.open(vllm.model, key=b"k", max_tokens=vllm.max_model_len)
    rewriter = Rewriter({"demo": embedder}, Corruption("rand_noise_first_n", 1, 50.0), key=b"k")
    resources = Resources((), None, rewriter, {}, None)

    async def asked() -> list[str]:
        return [str(one) async for one in check_online(settings, resources)]

    return asyncio.run(asked())


def test_a_real_server_that_has_all_is_well(vllm: VllmServer) -> None:
    server = vllm.url.removeprefix("http://")

    assert outcomes(vllm, models={"demo": {}}) == [
        f"ok     model server {server}: takes our key, serves demo (512 tokens)",
        "ok     prompt embeddings for demo",
    ]


def test_what_it_lacks_is_said(vllm: VllmServer) -> None:
    found = outcomes(vllm, models={"demo": {"context_tokens": 4096}, "other": {}})

    assert "does not serve a configured model: other" in found[0]
    assert found[1].startswith("FAULT  context of demo: 4096 tokens here, 512 there")


def test_what_it_serves_is_discovered(vllm: VllmServer) -> None:
    found = discover(vllm.url, None)
    assert found.models == {"demo": 512}
    assert found.version is not None
    assert found.reads_embeddings is True
    assert discover(vllm.url, None) == found  # it has outlived the question


def test_a_chat_model_gives_no_embeddings(vllm: VllmServer) -> None:
    settings = Settings.model_validate({"upstream": {"url": vllm.url}})
    with served(create_app(settings)) as url:
        body = {"model": "demo", "input": "hello"}
        answered = httpx2.post(f"{url}/v1/embeddings", json=body, timeout=30)
        ready = httpx2.get(f"{url}/readyz", timeout=30)

    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "unsupported_model")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "upstream": []})
