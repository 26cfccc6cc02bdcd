"""Every fault, under a real proxy process: the answer is proper, and the proxy is whole again."""

import asyncio
import json
import signal

import aiohttp
import pytest

from lab.drills.errant_server import FORBIDDEN
from lab.drills.proxy import HANGING, RAISING
from lab.drills.rig import KEY
from lab.drills.soak_figures import is_proper
from tests.lab.drills.conftest import CHAT, Drill
from tests.redis_server import RedisServer

BAD = FORBIDDEN.decode()


@pytest.mark.parametrize(
    ("mode", "statuses"),
    [
        ("slow", {200}),
        ("hang", {504}),
        ("garbage", {502}),
        ("not_json", {502}),
        ("half", {502}),
        ("drop", {502, 503}),
        ("ill", {502, 503}),
    ],
)
async def test_a_model_server_that_misbehaves(drill: Drill, mode: str, statuses: set[int]) -> None:
    drill.rig.order(mode)

    answers = [await drill.ask(), await drill.ask(BAD)]

    assert answers[0].status_code in statuses, answers[0].text
    assert all(is_proper(answer.status_code, answer.content) for answer in answers)
    assert answers[1].json()["error"]["code"] == "content_filter"
    drill.rig.order("ok")
    while (await drill.ask()).status_code != 200:
        pass  # breakers close by themselves


async def test_half_a_stream_ends_with_an_error_and_no_done(drill: Drill) -> None:
    drill.rig.order("half")

    answer = await drill.ask(stream=True)

    assert answer.status_code == 200
    assert b"[DONE]" not in answer.content
    last = answer.content.strip().rpartition(b"data: ")[2]
    assert json.loads(last)["error"]["type"] == "upstream_error"


async def test_one_killed_server_is_not_noticed(drill: Drill) -> None:
    drill.rig.servers[0].kill()

    statuses = [(await drill.ask()).status_code for _ in range(20)]

    assert set(statuses) == {200}


async def test_all_servers_killed_and_back(drill: Drill) -> None:
    for server in drill.rig.servers:
        server.kill()
    gone = [await drill.ask() for _ in range(12)]
    ready = await drill.client.get("/readyz")
    for server in drill.rig.servers:
        server.start()

    assert {answer.status_code for answer in gone} == {503}
    assert "retry-after" in gone[-1].headers
    assert ready.status_code == 503
    while (await drill.ask()).status_code != 200:
        pass
    assert (await drill.client.get("/readyz")).status_code == 200


async def test_a_detector_that_raises_holds_the_request_back(drill: Drill) -> None:
    answer = await drill.ask(RAISING)

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "screening_failed")
    assert (await drill.ask()).status_code == 200


async def test_a_detector_that_hangs_holds_the_request_back_in_time(drill: Drill) -> None:
    answer = await drill.ask(HANGING)

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "screening_timeout")
    while (await drill.ask()).status_code != 200:
        pass  # its thread is busy for a while


async def test_redis_killed_and_back(drill: Drill, redis: RedisServer) -> None:
    redis.kill()
    try:
        during = [(await drill.ask()).status_code for _ in range(10)]
        assert await drill.metric("ecoguard_shared_limits_up") == 0
    finally:
        redis.start()

    assert set(during) == {200}
    while await drill.metric("ecoguard_shared_limits_up") == 0:
        assert (await drill.ask()).status_code == 200


async def test_a_hung_redis_delays_nobody_for_long(drill: Drill, redis: RedisServer) -> None:
    with redis.hung():
        async with asyncio.timeout(10):
            statuses = await asyncio.gather(*(drill.ask() for _ in range(20)))

    assert {answer.status_code for answer in statuses} == {200}


async def test_a_reload_of_a_broken_artifact_changes_nothing(drill: Drill) -> None:
    whole = drill.rig.file.read_text()
    failed = await drill.metric('ecoguard_reloads_total{result="failed"}')
    drill.rig.write(detectors={"words": {"kind": "artifact", "path": "gone"}})
    try:
        drill.rig.proxy.send_signal(signal.SIGHUP)
        while await drill.metric('ecoguard_reloads_total{result="failed"}') == failed:
            assert (await drill.ask(BAD)).status_code == 400
        assert (await drill.ask()).status_code == 200
    finally:
        drill.rig.file.write_text(whole)
    assert (await drill.client.post("/v1/guard/admin/reload")).status_code == 200


async def test_sigterm_under_load_finishes_what_was_begun(drill: Drill) -> None:
    """Requests that were taken are answered whole; later ones find a closed port, not an error."""
    drill.rig.order("slow")
    before = drill.rig.requests
    started = asyncio.Event()

    async def ask(session: aiohttp.ClientSession, number: int) -> str:
        messages = [{"role": "user", "content": "hello"}]
        body = {"model": "demo", "stream": number % 2 == 0, "messages": messages}
        try:
            async with session.post(CHAT, json=body) as answer:
                started.set()
                content = await answer.read()
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            return "refused"  # before it was taken: the model servers' counts would tell
        return "whole" if is_proper(answer.status, content) else "broken"

    headers = {"authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(drill.rig.proxy.url, headers=headers) as session:
        asking = [asyncio.create_task(ask(session, number)) for number in range(100)]
        await started.wait()
        await asyncio.to_thread(drill.rig.proxy.stop)
        outcomes = await asyncio.gather(*asking)

    assert outcomes.count("broken") == 0
    assert outcomes.count("whole") == drill.rig.requests - before > 0
    drill.rig.proxy.start()
    assert (await drill.ask()).status_code == 200
