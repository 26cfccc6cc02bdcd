"""Two proxies, as processes of their own, over one PostgreSQL and with one corruption key."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import yaml
from sqlalchemy import text

from classifiers.model_server.process import ServerProcess, free_port
from guard.store.connection import open_engine
from tests import postgres
from tests.e2e.serving import served
from tests.fakes import FakeVLLM, chat_answer
from tests.guard.conftest import CHAT
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint

PROMPT = "where does the hidden gardener live?"
KEYS = {"shop": "shop's key", "team": "team's key"}
SECRETS = {"ECOGUARD_CORRUPTION_KEY": "the same on all replicas"}


class DigestVLLM(FakeVLLM):
    """Answers by what it was asked: the same request, and no other, gets the same answer."""

    async def _generate(self, receive: Any, send: Any) -> None:
        asked = repr(self.requests[-1]["messages"]).encode()
        self.answer = chat_answer(hashlib.sha256(asked).hexdigest())
        await super()._generate(receive, send)


def configuration(folder: Path, upstream: str, store: str, port: int) -> Path:
    """A replica's file: as its sister's, but for the port."""
    content = {
        "listen": {"port": port, "drain_s": 1},
        "upstream": {"url": upstream, "send_early": False},
        "models": {"demo": {"path": str(folder / "model"), "context_tokens": 256}},
        "detectors": {"people": {"kind": "phrases", "phrases": ["hidden gardener"]}},
        "policies": [{"name": "forget", "detector": "people", "action": "corrupt"}],
        "corruption": {"kind": "rand_noise_first_n", "dims": 4, "strength": 5},
        "keys": [
            {"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest()}
            for name, key in KEYS.items()
        ],
        "store": {"url": store, "flush_s": 0.05},
    }
    file = folder / f"guard-{port}.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """An empty database."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres.running(programs) as server:
        yield server.make_database()


def upgrade(file: Path) -> None:
    """Make the store's tables, as the deployment's init container does."""
    command = [sys.executable, "-m", "guard", "store", "upgrade", "--config", str(file)]
    subprocess.run(command, env=os.environ | SECRETS, check=True, capture_output=True)


def ask(url: str, owner: str, request_id: str, content: str) -> str:
    """The answer's text."""
    headers = {"authorization": f"Bearer {KEYS[owner]}", "x-request-id": request_id}
    body = {"model": "demo", "messages": [{"role": "user", "content": content}]}
    answer = httpx2.post(url + CHAT, json=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    words: str = answer.json()["choices"][0]["message"]["content"]
    return words


def test_replicas_answer_alike_and_write_one_audit(store: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model", random_rows(259, 16, np.dtype(np.float32)))
    vllm = DigestVLLM()
    with served(vllm) as upstream, ExitStack() as stack:
        ports = [free_port(), free_port()]
        files = [configuration(tmp_path, upstream, store, port) for port in ports]
        upgrade(files[0])
        replicas = [
            ServerProcess(
                [sys.executable, "-m", "guard", "serve", "--config", str(file)],
                port=port,
                log=tmp_path / f"{port}.log",
                environment=SECRETS,
                health="/readyz",
            )
            for file, port in zip(files, ports, strict=True)
        ]
        for replica in replicas:
            stack.callback(replica.stop)
        with ThreadPoolExecutor() as pool:  # both at once
            list(pool.map(ServerProcess.start, replicas))
        corrupted = [ask(r.url, "shop", f"c{i}", PROMPT) for i, r in enumerate(replicas)]
        again = [ask(r.url, "team", f"t{i}", PROMPT) for i, r in enumerate(replicas)]
        benign = [ask(r.url, "shop", f"b{i}", "hello") for i, r in enumerate(replicas)]

    assert len({*corrupted, *again}) == 1
    assert len(set(benign)) == 1
    assert "prompt_embeds" in repr(vllm.requests[0])
    assert PROMPT not in repr(vllm.requests)
    assert rows(store) == {
        *(("c0", "shop", "corrupt"), ("c1", "shop", "corrupt")),
        *(("t0", "team", "corrupt"), ("t1", "team", "corrupt")),
        *(("b0", "shop", "allow"), ("b1", "shop", "allow")),
    }


def rows(store: str) -> set[tuple[str, str, str]]:
    """Request id, key and action of every audit row; both replicas have ended."""
    engine = open_engine(store)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT request_id, key, action FROM audit")).all()
    engine.dispose()
    return {(row.request_id, row.key, row.action) for row in found}
