"""What the guard could not judge: 503 and a code, in every protocol, never a verdict."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FailingDetector, HangingDetector, WordDetector
from tests.guard.conftest import CHAT, Rig, RigMaker, bearer, key_of
from tests.guard.store.records import audit_rows

HELLO = [{"role": "user", "content": "hello"}]
BODIES: dict[str, dict[str, Any]] = {
    CHAT: {"messages": HELLO},
    "/v1/completions": {"prompt": "hello"},
    "/v1/embeddings": {"input": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 9},
}
FORMS = ("error", "message")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("route", BODIES)
async def test_it_is_503_in_every_protocol_however_refusals_look(
    make_rig: RigMaker, route: str, form: str, stream: bool
) -> None:
    streams = {"stream": True} if stream and route != "/v1/embeddings" else {}
    async with make_rig(("block", FailingDetector()), refusal={"form": form}) as rig:
        body = {"model": "demo", **BODIES[route], **streams}
        answer = await rig.client.post(route, json=body)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert "screening_failed" in error["message"]
    if route == "/v1/messages":
        assert error["type"] == "overloaded_error"
    else:
        assert (error["code"], error["type"]) == ("screening_failed", "server_error")
    assert "content_filter" not in answer.text
    assert rig.vllm.requests == []


async def test_each_failure_has_its_code_in_answer_row_metrics_and_log(
    make_rig: RigMaker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="guard.access")
    url = f"sqlite:///{tmp_path / 'traffic.db'}"
    hanging = HangingDetector()
    limits = {"screening_s": 0.1, "screening_queue": 1}
    async with make_rig(
        ("block", hanging), limits=limits, store={"url": url}, keys=[key_of("shop")]
    ) as rig:
        waiting = (rig.chat(f"hello {n}", headers=bearer("shop")) for n in range(3))
        asked = await asyncio.gather(*waiting)
        metrics = (await rig.client.get("/metrics")).text
        hanging.released.set()

    codes = ["screening_overloaded", "screening_timeout", "screening_timeout"]
    assert [answer.status_code for answer in asked] == [503] * 3
    assert sorted(answer.json()["error"]["code"] for answer in asked) == codes
    rows = audit_rows(url)
    assert [(row.action, row.status, row.key) for row in rows] == [
        (code, 503, "shop") for code in codes
    ]
    assert ["unjudged" in row.verdicts for row in rows] == [True] * 3
    for code in codes:
        assert f'ecoguard_requests_total{{action="{code}",route="{CHAT}",status="5xx"}}' in metrics
    logged = [vars(record)["fields"] for record in caplog.records if record.name == "guard.access"]
    assert [(line["action"], line["key"]) for line in logged] == [(code, "shop") for code in codes]
    assert [line["request_id"] for line in logged] == [row.request_id for row in rows]


async def test_a_key_that_fills_the_queue_beside_others_is_told_so(make_rig: RigMaker) -> None:
    hanging = HangingDetector()
    limits = {"screening_s": 5, "screening_queue": 3}
    keys = [key_of("flood"), key_of("shop")]
    async with make_rig(("block", hanging), limits=limits, keys=keys) as rig:
        waiting = [
            asyncio.create_task(rig.chat(f"hello {n}", headers=bearer("flood"))) for n in range(4)
        ]
        await asyncio.to_thread(hanging.entered.wait, 10)
        await rig.metrics_with("ecoguard_in_flight_requests 4.0")
        shop = asyncio.create_task(rig.chat("hello", headers=bearer("shop")))
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        hanging.released.set()
        answers = [await each for each in (*waiting, shop)]

    (refused,) = done
    assert refused.result().status_code == 429
    assert refused.result().json()["error"]["code"] == "screening_share_exceeded"
    assert refused.result().headers["retry-after"] == "1"
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429]


async def test_what_was_found_is_a_verdict_though_another_policy_failed(
    make_rig: RigMaker,
) -> None:
    rules = ("block", FailingDetector()), ("block", WordDetector("attack"))
    async with make_rig(*rules) as rig:
        attack, harmless = await rig.chat("an attack"), await rig.chat("hello")

    assert (attack.status_code, attack.json()["error"]["code"]) == (400, "content_filter")
    assert harmless.status_code == 503


async def test_what_was_sent_early_is_cancelled(make_rig: RigMaker) -> None:
    hanging = HangingDetector()
    options = {"send_early": True}
    async with make_rig(
        ("block", hanging), limits={"screening_s": 0.2}, upstream_options=options
    ) as rig:
        rig.vllm.hold = True
        answer = await rig.chat("hello")
        async with asyncio.timeout(10):
            await rig.vllm.gone.wait()
        hanging.released.set()

    assert answer.json()["error"]["code"] == "screening_timeout"


def shadows(url: str) -> dict[str, Any]:
    policies = [
        {"name": "new", "detector": "d0", "action": "block", "shadow": True},
        {"name": "old", "detector": "d1", "action": "flag"},
    ]
    return {"policies": policies, "store": {"url": url, "flush_s": 0.05}}


async def rows_of(rig: Rig, url: str, count: int) -> list[Any]:
    """The audit rows, once there are so many."""
    async with asyncio.timeout(20):
        while len(rows := audit_rows(url)) < count:
            await rig.client.get("/livez")
    return rows


async def test_a_row_is_written_when_the_shadows_have_judged(
    make_rig: RigMaker, tmp_path: Path
) -> None:
    url, hanging = f"sqlite:///{tmp_path / 'traffic.db'}", HangingDetector()
    rules = ("block", hanging), ("flag", WordDetector("odd"))
    async with make_rig(*rules, **shadows(url)) as rig:
        answer = await rig.chat("an odd one")
        assert answer.status_code == 200
        assert audit_rows(url) == []
        hanging.released.set()
        (row,) = await rows_of(rig, url, 1)

    assert row.action == "flag"
    assert json.loads(row.verdicts) == {"prompt": "flag"}
    findings = json.loads(row.findings)
    assert [(found["policy"], found["side"]) for found in findings] == [
        ("old", "prompt"),
        ("new", "prompt"),
    ]


async def test_no_row_is_lost_when_the_process_ends_before_the_shadows(
    make_rig: RigMaker, tmp_path: Path
) -> None:
    url, hanging = f"sqlite:///{tmp_path / 'traffic.db'}", HangingDetector()
    rules = ("block", hanging), ("flag", WordDetector("odd"))
    async with make_rig(*rules, **shadows(url)) as rig:
        await rig.chat("an odd one")
    hanging.released.set()

    (row,) = audit_rows(url)
    failures = {found["policy"]: found["failure"] for found in json.loads(row.findings)}
    assert failures == {"new": "overloaded", "old": None}
