"""Each part of a deployment is asked once; what is wrong comes with what to do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter
from guard.encoders.pooling_encoder import PoolingEncoder
from guard.gateway.loading import Resources, load_resources
from guard.gateway.online_checks import Outcome, check_online
from guard.settings import Settings, Store
from guard.store.journal import make_store
from tests import redis_server
from tests.fakes import FakeVLLM
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint
from tests.guard_models import CLASSES, GuardModel
from tests.pooling import pooling_server, write_pooling_artifact
from tests.servers import serving


async def lines(settings: Settings, resources: Resources | None = None) -> list[str]:
    return [str(one) async for one in check_online(settings, resources or load_resources(settings))]


async def told(vllm: FakeVLLM, resources: Resources | None = None, **sections: Any) -> list[str]:
    """What is said of a deployment whose model server is `vllm`; its port as 0."""
    async with serving(vllm) as url:
        settings = Settings.model_validate({"upstream": {"url": url}, **sections})
        said = await lines(settings, resources)
    return [line.replace(url.rpartition(":")[2], "0") for line in said]


def resources_with(
    rewriter: Rewriter | None = None, encoder: PoolingEncoder | None = None
) -> Resources:
    return Resources((), encoder, rewriter, {}, None)


async def test_all_is_well() -> None:
    assert await told(FakeVLLM(), models={"demo": {"context_tokens": 512}}) == [
        "ok     model server 127.0.0.1:0: takes our key, serves demo (512 tokens)"
    ]


async def test_a_detectors_server_is_asked_about_a_text() -> None:
    said = []
    for model in (GuardModel(), GuardModel(model="another")):
        async with serving(model) as guard:
            detectors = {
                kind: {"kind": "remote", "url": guard, "model": "guard", **CLASSES, "input": kind}
                for kind in ("text", "conversation")
            }
            said += (await told(FakeVLLM(), detectors=detectors))[1:]
    fault = "other_model: another model has answered; see docs/guides/bring-your-own.md"
    assert said == [
        "ok     detector text: scores a text",
        "ok     detector conversation: scores a text",
        f"FAULT  detector text: {fault}",
        f"FAULT  detector conversation: {fault}",
    ]


@pytest.mark.parametrize(
    ("vllm", "fault", "advice"),
    [
        (FakeVLLM(api_key="k"), "refused EcoGuard's key", "upstream.api_key_env"),
        (FakeVLLM(models=["x"]), "does not serve a configured model: demo", "--served-model-name"),
        (FakeVLLM(healthy=False), "says that it is not ready", "may still load"),
        (FakeVLLM(context_tokens=256), "512 tokens here, 256 there", "context_tokens to 256"),
    ],
)
async def test_a_model_servers_fault_is_told(vllm: FakeVLLM, fault: str, advice: str) -> None:
    line = (await told(vllm, models={"demo": {"context_tokens": 512}}))[-1]

    assert line.startswith("FAULT  ")
    assert fault in line
    assert advice in line


async def test_a_server_that_is_away() -> None:
    settings = Settings.model_validate({"upstream": {"url": "http://127.0.0.1:9"}})

    (line,) = await lines(settings)

    assert line.startswith("FAULT  model server 127.0.0.1:9: cannot be reached; does it run")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "ok     prompt embeddings for demo"),
        ({"reads_embeddings": False}, "are switched off; start vLLM with --enable-prompt-embeds"),
        ({"status": 400, "answer": {}}, "refused with status 400; is models.demo.path the folder"),
    ],
)
async def test_prompt_embeddings_are_tried(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    folder = write_checkpoint(tmp_path, random_rows(300, 8, np.dtype(np.float32)))
    embedder = PromptEmbedder.open(folder, key=b"k", max_tokens=64)
    rewriter = Rewriter({"demo": embedder}, Corruption("rand_noise_first_n", 1, 50.0), key=b"k")
    vllm = FakeVLLM(**changes)

    outcomes = await told(vllm, resources_with(rewriter), models={"demo": {}})

    assert expected in outcomes[-1]


async def test_the_rows_own_context_counts_where_nothing_is_set(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, random_rows(300, 8, np.dtype(np.float32)))
    embedder = PromptEmbedder.open(folder, key=b"k", max_tokens=1024)
    rewriter = Rewriter({"demo": embedder}, Corruption("rand_noise_first_n", 1, 50.0), key=b"k")

    outcomes = await told(FakeVLLM(), resources_with(rewriter), models={"demo": {}})

    assert outcomes[1].startswith("FAULT  context of demo: 1024 tokens here, 512 there; set models")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, "ok     encoder: reads a text"), (401, "FAULT  encoder: pooling endpoint: ")],
)
async def test_the_encoders_server_is_asked(tmp_path: Path, status: int, expected: str) -> None:
    artifact = write_pooling_artifact(tmp_path / "encoder")
    with pooling_server() as server:
        server.status = status
        encoder = PoolingEncoder.connect(artifact, server.url)
        line = (await told(FakeVLLM(), resources_with(encoder=encoder)))[-1]
        encoder.close()

    assert line.startswith(expected)


async def test_a_store_that_is_not_there_yet_is_made_later(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/traffic.db"

    line = (await told(FakeVLLM(), store={"url": url}))[-1]

    assert line == f"ok     store: {tmp_path}/traffic.db will be made at the start"
    assert not (tmp_path / "traffic.db").exists()


async def test_a_store_is_read(tmp_path: Path) -> None:
    settings = Store(url=f"sqlite:///{tmp_path}/traffic.db")
    store = make_store(settings)
    store.upgrade()
    store.close()

    outcomes = await told(FakeVLLM(), store=settings.model_dump())

    assert outcomes[-1] == "ok     store: 0 audit rows, 0 prompts"


async def test_a_store_that_is_away_is_told() -> None:
    url = "postgresql://nobody@127.0.0.1:9/none"

    line = (await told(FakeVLLM(), store={"url": url, "timeout_s": 1}))[-1]

    assert line.startswith("FAULT  store: ")


async def test_redis_is_asked() -> None:
    with redis_server.running() as server:
        assert (await told(FakeVLLM(), redis={"url": server.url, "timeout_s": 5}))[-1] == (
            "ok     redis: answers"
        )


async def test_redis_that_is_away_is_told() -> None:
    line = (await told(FakeVLLM(), redis={"url": "redis://127.0.0.1:9"}))[-1]

    assert line == (
        "FAULT  redis: does not answer (ConnectionError); see redis.url and redis.timeout_s"
    )


def test_an_outcome_without_a_note_is_short() -> None:
    assert str(Outcome("redis")) == "ok     redis"
