"""Limits in front of a whole proxy: 429 in each protocol's form, headers, Redis away."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from guard.limits.buckets import Standing
from guard.limits.limiter import duration, rate_headers
from guard.settings import Rates
from tests.fakes import DONE, WordDetector, chat_chunk
from tests.guard.conftest import CHAT, RigMaker, bearer, key_of
from tests.redis_server import RedisServer

SHOP = bearer("shop")
MESSAGES = "/v1/messages"


def keys(**limits: int) -> list[dict[str, Any]]:
    return [{**key_of("shop"), "limits": limits}, key_of("free")]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0171, "18ms"), (1, "1s"), (1.5, "1.5s"), (60, "1m0s"), (359.6, "6m0s")],
)
def test_durations_are_written_as_openai_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_headers_tell_of_what_is_limited() -> None:
    rates = Rates(requests_per_minute=60, tokens_per_minute=600)

    assert rate_headers(rates, Standing(None, 58.5, -3.0, 1)) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "58",
        "x-ratelimit-reset-requests": "1.5s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1m1s",
    }
    assert rate_headers(Rates(concurrent_requests=1), Standing(None, 0, 0, 1)) == {}


async def test_a_key_that_meets_its_limit_is_told_when_to_come_again(make_rig: RigMaker) -> None:
    async with make_rig(keys=keys(requests_per_minute=2)) as rig:
        answers = [await rig.chat("hi", headers=SHOP) for _ in range(3)]
        other = await rig.chat("hi", headers=bearer("free"))
        metrics = (await rig.client.get("/metrics")).text

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    remaining = [answer.headers["x-ratelimit-remaining-requests"] for answer in answers]
    assert remaining == ["1", "0", "0"]
    error = answers[-1].json()["error"]
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert 25 <= int(answers[-1].headers["retry-after"]) <= 30
    assert (other.status_code, "x-ratelimit-limit-requests" in other.headers) == (200, False)
    assert 'ecoguard_rate_limited_total{limit="requests"} 1.0' in metrics
    assert len(rig.vllm.requests) == 3


async def test_a_body_in_chunks_is_charged_like_any_other(make_rig: RigMaker) -> None:
    body = json.dumps({"model": "demo", "messages": [{"role": "user", "content": "x" * 400}]})
    headers = {**SHOP, "content-type": "application/json"}

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 64):
            yield body[start : start + 64].encode()

    left = []
    for content in (body.encode(), chunks()):
        async with make_rig(keys=keys(tokens_per_minute=1000)) as rig:
            answer = await rig.client.post(CHAT, content=content, headers=headers)
        left.append(answer.headers["x-ratelimit-remaining-tokens"])

    assert left == [str(1000 - len(body) // 4)] * 2


async def test_anthropics_clients_get_their_own_form(make_rig: RigMaker) -> None:
    body = {
        "model": "demo",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hi"}],
    }
    async with make_rig(keys=keys(requests_per_minute=1)) as rig:
        await rig.client.post(MESSAGES, json=body, headers={"x-api-key": "shop"})
        answer = await rig.client.post(MESSAGES, json=body, headers={"x-api-key": "shop"})

    assert answer.status_code == 429
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert int(answer.headers["retry-after"]) > 0


async def test_limits_for_all_keys_and_those_of_one(make_rig: RigMaker) -> None:
    limits = {"per_key": {"requests_per_minute": 1}}
    own = [{**key_of("shop"), "limits": {"requests_per_minute": 5}}, key_of("free")]
    async with make_rig(keys=own, limits=limits) as rig:
        shop = [(await rig.chat("hi", headers=SHOP)).status_code for _ in range(2)]
        free = [(await rig.chat("hi", headers=bearer("free"))).status_code for _ in range(2)]

    assert (shop, free) == ([200, 200], [200, 429])


async def test_tokens_are_counted_as_the_model_server_says(make_rig: RigMaker) -> None:
    async with make_rig(keys=keys(tokens_per_minute=1000)) as rig:
        rig.vllm.answer["usage"] = {"prompt_tokens": 5, "completion_tokens": 1000}
        first = await rig.chat("hi", headers=SHOP)
        second = await rig.chat("hi", headers=SHOP)

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["error"]["type"] == "tokens"
    assert second.headers["x-ratelimit-remaining-tokens"] == "0"


async def test_a_streams_tokens_are_its_events_where_nobody_counts(make_rig: RigMaker) -> None:
    async with make_rig(keys=keys(tokens_per_minute=100)) as rig:
        rig.vllm.script = [*[chat_chunk("word ")] * 200, chat_chunk("", "stop"), DONE]
        first = await rig.chat("hi", headers=SHOP, stream=True)
        second = await rig.chat("hi", headers=SHOP)

    assert (first.status_code, second.status_code) == (200, 429)


async def test_a_blocked_prompt_costs_no_tokens(make_rig: RigMaker) -> None:
    rule = ("block", WordDetector("attack"))
    async with make_rig(rule, keys=keys(tokens_per_minute=200)) as rig:
        statuses = [(await rig.chat("attack", headers=SHOP)).status_code for _ in range(20)]

    assert set(statuses) == {400}


async def test_requests_under_way_are_limited_and_their_ends_counted(make_rig: RigMaker) -> None:
    async with make_rig(keys=keys(concurrent_requests=1)) as rig:
        rig.vllm.hold = True
        waiting = asyncio.create_task(rig.chat("hi", headers=SHOP))
        await rig.vllm.arrived.wait()
        refused = await rig.chat("hi", headers=SHOP)
        rig.vllm.gate.set()
        answered = await waiting
        again = await rig.chat("hi", headers=SHOP)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["error"]["type"] == "concurrent"
    assert (answered.status_code, again.status_code) == (200, 200)


async def test_replicas_share_a_keys_limit(make_rig: RigMaker, redis: RedisServer) -> None:
    place = {"url": redis.url, "timeout_s": 5}
    rate = keys(requests_per_minute=3)
    async with make_rig(keys=rate, redis=place) as one, make_rig(keys=rate, redis=place) as two:
        statuses = [
            (await rig.chat("hi", headers=SHOP)).status_code for rig in (one, two, one, two)
        ]

    assert statuses == [200, 200, 200, 429]


async def test_tokens_and_running_requests_are_settled_in_redis(
    make_rig: RigMaker, redis: RedisServer
) -> None:
    rate = keys(concurrent_requests=1, tokens_per_minute=10_000)
    async with make_rig(keys=rate, redis={"url": redis.url, "timeout_s": 5}) as rig:
        answers = [await rig.chat("hi", headers=SHOP) for _ in range(6)]
        answer = answers[-1]

    assert {answer.status_code for answer in answers} == {200}
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) > 9_800


async def test_without_redis_each_process_counts_and_nobody_gets_an_error(
    make_rig: RigMaker, redis: RedisServer
) -> None:
    place = {"url": redis.url, "timeout_s": 1, "retry_s": 0.01}
    async with make_rig(keys=keys(requests_per_minute=100), redis=place) as rig:
        before = await rig.chat("hi", headers=SHOP)
        redis.kill()
        try:
            during = [await rig.chat("hi", headers=SHOP) for _ in range(5)]
            metrics = (await rig.client.get("/metrics")).text
        finally:
            redis.start()
        async with asyncio.timeout(10):
            while "ecoguard_shared_limits_up 1.0" not in (await rig.client.get("/metrics")).text:
                assert (await rig.chat("hi", headers=SHOP)).status_code == 200

    assert {answer.status_code for answer in (before, *during)} == {200}
    assert [a.headers["x-ratelimit-remaining-requests"] for a in during[:2]] == ["99", "98"]
    assert "ecoguard_shared_limits_up 0.0" in metrics
    assert "ecoguard_shared_limits_failures_total 0.0" not in metrics


async def test_a_hung_redis_is_waited_for_once(make_rig: RigMaker, redis: RedisServer) -> None:
    place = {"url": redis.url, "timeout_s": 0.05, "retry_s": 60}
    async with make_rig(keys=keys(requests_per_minute=100), redis=place) as rig:
        with redis.hung():
            statuses = [(await rig.chat("hi", headers=SHOP)).status_code for _ in range(10)]
            metrics = (await rig.client.get("/metrics")).text

    assert set(statuses) == {200}
    assert "ecoguard_shared_limits_failures_total 1.0" in metrics
