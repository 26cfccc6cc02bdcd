"""A server is asked what it is; what is wrong with it comes with what to do."""

import asyncio

import pytest

from guard.terms.errors import ConfigError
from guard.upstream.discovery import Discovered, discover
from tests.fakes import FakeVLLM
from tests.servers import serving


async def found(vllm: FakeVLLM, key: str | None = None) -> Discovered:
    async with serving(vllm) as url:
        return await asyncio.to_thread(discover, url, key)


async def test_models_their_context_and_the_version() -> None:
    vllm = FakeVLLM(models=["a", "b"], context_tokens=2048, version="0.32.1", status=400)
    assert await found(vllm) == Discovered({"a": 2048, "b": 2048}, (0, 32), True)


@pytest.mark.parametrize(
    ("vllm", "reads"),
    [(FakeVLLM(reads_embeddings=False), False), (FakeVLLM(), None), (FakeVLLM(status=404), None)],
)
async def test_whether_it_reads_embeddings(vllm: FakeVLLM, reads: bool | None) -> None:
    assert (await found(vllm)).reads_embeddings is reads


async def test_its_key_is_shown() -> None:
    assert (await found(FakeVLLM(api_key="k"), "k")).models == {"demo": 512}


@pytest.mark.parametrize(
    ("vllm", "fault"),
    [
        (FakeVLLM(api_key="k"), "refused EcoGuard's key"),
        (FakeVLLM(healthy=False), "says that it is not ready; it may still load"),
        (FakeVLLM(models=[]), "does not serve a configured model"),
    ],
)
async def test_a_fault_is_told(vllm: FakeVLLM, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        await found(vllm)


def test_nobody_is_there() -> None:
    with pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:9: cannot be reached; does it run"):
        discover("http://127.0.0.1:9", None)
