"""The store's faults under a whole proxy: no answer is lost, late or changed by any of them."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, Engine, event

from guard.settings import Store
from guard.store.traffic_store import TrafficStore, read_traffic
from tests.fakes import DONE, WordDetector, chat_chunk
from tests.guard.conftest import CHAT, Rig, RigMaker
from tests.guard.store.records import audit_rows
from tests.postgres import PostgresServer

BLOCK = ("block", WordDetector("attack"))
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":3}}\n\n'
WITHIN = 60


async def metric(rig: Rig, name: str, **labels: str) -> float:
    exposition = (await rig.client.get("/metrics")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def ask_until(rig: Rig, name: str, above: float = 0, **labels: str) -> None:
    """Ask, and check every answer, until a metric has grown."""
    async with asyncio.timeout(WITHIN):
        while await metric(rig, name, **labels) <= above:
            await ask_both_ways(rig)


async def ask_both_ways(rig: Rig) -> None:
    """One request that passes and one that is blocked: the right answer to each."""
    passed, blocked = await asyncio.gather(rig.chat("hello"), rig.chat("an attack"))
    assert (passed.status_code, blocked.status_code) == (200, 400)
    assert passed.json()["choices"][0]["message"]["content"] == "Hello."
    assert blocked.json()["error"]["code"] == "content_filter"


async def test_every_kind_of_answer_has_its_row(
    make_rig: RigMaker, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    store = {"url": store_url, "auto_upgrade": True}
    async with make_rig(BLOCK, store=store) as rig:
        await rig.chat("hello, the launch code")
        await rig.chat("an attack with the launch code")
        rig.vllm.script = [chat_chunk("Hi"), USAGE, DONE]
        await rig.chat("stream the launch code", stream=True)
        await rig.client.post(CHAT, json={"model": "demo", "messages": "launch code"})
        rig.vllm.status = 500
        await rig.chat("and the launch code fails")

    rows = audit_rows(store_url)
    assert [(row.action, row.status) for row in rows] == [
        ("allow", 200),
        ("block", 400),
        ("allow", 200),
        ("error", 400),
        ("allow", 502),
    ]
    counts = [(row.prompt_tokens, row.completion_tokens) for row in rows]
    assert counts == [(5, 2), (None, None), (4, 3), (None, None), (None, None)]
    assert all(row.latency_ms > 0 and row.route == CHAT for row in rows)
    assert "p0" in str(rows[1].findings)
    assert "launch" not in "".join(map(str, rows)) + caplog.text


async def test_a_client_that_leaves_has_its_row(make_rig: RigMaker, store_url: str) -> None:
    async with make_rig(BLOCK, store={"url": store_url, "auto_upgrade": True}) as rig:
        rig.vllm.hold = True
        task = asyncio.create_task(rig.chat("hello"))
        await rig.vllm.arrived.wait()
        task.cancel()
        await rig.vllm.gone.wait()

    (row,) = audit_rows(store_url)
    assert (row.action, row.status) == ("disconnected", 499)


async def test_prompts_are_captured_with_their_roles(make_rig: RigMaker, store_url: str) -> None:
    store = {"url": store_url, "auto_upgrade": True, "capture": {"enabled": True, "rate": 1}}
    async with make_rig(BLOCK, store=store) as rig:
        await rig.chat("mail bob@example.com")
        await rig.chat("an attack")
        body = {"model": "demo", "input": "an embedding is no prompt"}
        await rig.client.post("/v1/embeddings", json=body)

    prompts = list(read_traffic(store_url))
    assert [(p.messages[0].role, p.text) for p in prompts] == [
        ("user", "mail [EMAIL]"),
        ("user", "an attack"),
    ]
    assert len({prompt.client for prompt in prompts}) == 1


async def test_a_server_killed_and_back(
    make_rig: RigMaker, postgres_server: PostgresServer
) -> None:
    url = postgres_server.make_database()
    store = {"url": url, "auto_upgrade": True, "queue_records": 20, "flush_s": 0.05}
    written = "ecoguard_store_written_total"
    async with make_rig(BLOCK, store=store) as rig:
        await ask_until(rig, written)
        try:
            killing = asyncio.create_task(asyncio.to_thread(postgres_server.kill))
            while not killing.done():
                await ask_both_ways(rig)
            await killing
            await ask_until(rig, "ecoguard_store_dropped_total", reason="dead")
            assert await metric(rig, "ecoguard_store_up") == 0
        finally:
            await asyncio.to_thread(postgres_server.start)
        before = await metric(rig, written)
        await ask_until(rig, written, above=before)
        assert await metric(rig, "ecoguard_store_queue_records") <= 20

    rows = audit_rows(url)
    assert len(rows) == len({row.request_id for row in rows}) > before


async def test_a_proxy_starts_while_the_server_is_down(
    make_rig: RigMaker, postgres_server: PostgresServer
) -> None:
    url = postgres_server.make_database()
    store = {"url": url, "auto_upgrade": True, "flush_s": 0.05}
    postgres_server.kill()
    try:
        starting = make_rig(BLOCK, store=store)
        rig = await starting.__aenter__()
        await ask_both_ways(rig)
    finally:
        postgres_server.start()
    await ask_until(rig, "ecoguard_store_written_total")
    await starting.__aexit__(None, None, None)

    assert len(audit_rows(url)) >= 2


def backends(url: str) -> list[int]:
    """The processes of a database's other connections."""
    query = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url) as connection:
        return [pid for (pid,) in connection.execute(query)]


async def test_a_server_that_hangs_delays_neither_answers_nor_the_end(
    make_rig: RigMaker, postgres_server: PostgresServer
) -> None:
    url = postgres_server.make_database()
    store = {
        "url": url,
        "auto_upgrade": True,
        "queue_records": 10,
        "flush_s": 0.05,
        "drain_s": 0.2,
    }
    stopped: list[int] = []
    try:
        async with asyncio.timeout(WITHIN), make_rig(BLOCK, store=store) as rig:
            await ask_until(rig, "ecoguard_store_written_total")
            stopped = backends(url)
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            await ask_until(rig, "ecoguard_store_dropped_total", reason="full")
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert stopped


@contextmanager
def page_limit(pages: list[int]) -> Iterator[None]:
    """SQLite itself refuses to let a file grow beyond so many pages."""

    def limit(connection: Connection) -> None:
        if pages and connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")

    event.listen(Engine, "begin", limit)
    try:
        yield
    finally:
        event.remove(Engine, "begin", limit)


async def test_a_full_disk(make_rig: RigMaker, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/traffic.db"
    store = {"url": url, "queue_records": 20, "flush_s": 0.05}
    pages: list[int] = []
    with page_limit(pages):
        async with make_rig(BLOCK, store=store) as rig:
            pages.append(1)  # no smaller than the file is: it may not grow
            await ask_until(rig, "ecoguard_store_dropped_total", reason="disk")
            written = await metric(rig, "ecoguard_store_written_total")
            pages[0] = 1_000_000
            await ask_until(rig, "ecoguard_store_written_total", above=written)

    assert len(audit_rows(url)) > written


async def test_two_proxies_share_a_store_and_its_quotas(
    make_rig: RigMaker, postgres_server: PostgresServer
) -> None:
    url = postgres_server.make_database()
    capture = {"enabled": True, "rate": 1, "daily_prompts_per_key": 25}
    store = {"url": url, "auto_upgrade": True, "flush_s": 0.02, "capture": capture}
    async with make_rig(store=store) as first, make_rig(store=store) as second:
        rigs = (first, second)
        answers = await asyncio.gather(*(rigs[n % 2].chat(f"prompt {n}") for n in range(100)))

    assert {answer.status_code for answer in answers} == {200}
    rows = audit_rows(url)
    assert len({row.request_id for row in rows}) == len(rows) == 100
    prompts = list(read_traffic(url))
    assert len(prompts) == 25
    assert len({prompt.client for prompt in prompts}) == 1


async def test_the_memory_of_waiting_records_is_bounded(
    make_rig: RigMaker, postgres_server: PostgresServer
) -> None:
    """The server is down and prompts are long: they are dropped, not kept."""
    url = postgres_server.make_database()
    upgraded = TrafficStore(Store(url=url))
    upgraded.upgrade()
    upgraded.close()
    capture = {"enabled": True, "rate": 1}
    store = {"url": url, "queue_bytes": 200_000, "flush_s": 0.05, "capture": capture}
    async with make_rig(store=store) as rig:
        postgres_server.kill()
        try:
            answers = [await rig.chat("long " * 8000) for _ in range(30)]
            waiting = await metric(rig, "ecoguard_store_queue_bytes")
            dropped = await metric(rig, "ecoguard_store_dropped_total", kind="prompt")
        finally:
            postgres_server.start()

    assert {answer.status_code for answer in answers} == {200}
    assert 0 < waiting <= 200_000
    assert dropped >= 20
