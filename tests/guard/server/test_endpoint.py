"""The proxy end to end over a scripted vLLM: what passes, what is refused, how errors look."""

import asyncio
import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

import guard
from guard.terms.detector import Detector
from tests.fakes import DONE, FailingDetector, FakeVLLM, WordDetector, chat_answer, chat_chunk
from tests.guard.conftest import CHAT, Rig, RigMaker


async def test_benign_request_passes_and_the_answer_is_untouched(rig: Rig) -> None:
    rig.vllm.answer = chat_answer("Grüße, 世界")

    response = await rig.chat("hello", temperature=0, top_k=3)

    assert response.json() == rig.vllm.answer
    assert rig.vllm.requests == [
        {
            "model": "demo",
            "messages": [{"role": "user", "content": "hello"}],
            "temperature": 0,
            "top_k": 3,
        }
    ]


async def test_blocked_prompt_gets_azures_body_and_never_reaches_the_model(rig: Rig) -> None:
    response = await rig.chat("an ATTACK on the model")

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (
        400,
        "content_filter",
        "messages",
    )
    assert error["innererror"]["content_filter_result"]["ecoguard"]["filtered"] is True
    assert rig.vllm.requests == []


async def test_refusal_as_a_message_streamed_and_not(make_rig: RigMaker) -> None:
    refusal = {"form": "message", "text": "No."}
    async with make_rig(("block", WordDetector("attack")), refusal=refusal) as rig:
        whole = (await rig.chat("attack", n=2)).json()
        stream = (await rig.chat("attack", stream=True)).text

    assert [c["finish_reason"] for c in whole["choices"]] == ["content_filter"] * 2
    assert whole["choices"][0]["message"]["content"] == "No."
    assert whole["usage"]["total_tokens"] == 0
    assert stream.endswith("data: [DONE]\n\n")
    events = [json.loads(event.removeprefix("data: ")) for event in stream.split("\n\n")[:2]]
    endings = [event["choices"][0]["finish_reason"] for event in events]
    assert endings == [None, "content_filter"]
    assert rig.vllm.requests == []


async def test_policy_may_choose_its_own_form_of_refusal(make_rig: RigMaker) -> None:
    rules = [
        {"name": "p0", "detector": "d0", "action": "block", "refusal": "message"},
        {"name": "p1", "detector": "d1", "action": "block"},
    ]
    detectors = (("block", WordDetector("rude")), ("block", WordDetector("attack")))
    async with make_rig(*detectors, policies=rules) as rig:
        rude, attack = await rig.chat("rude"), await rig.chat("attack")

    assert rude.json()["choices"][0]["finish_reason"] == "content_filter"
    assert attack.json()["error"]["code"] == "content_filter"


async def test_flagged_prompt_passes_and_is_counted(make_rig: RigMaker) -> None:
    async with make_rig(("flag", WordDetector("odd"))) as rig:
        response = await rig.chat("an odd one")
        metrics = (await rig.client.get("/metrics")).text

    assert response.status_code == 200
    assert (
        'ecoguard_findings_total{action="flag",failed="false",policy="p0",side="prompt"} 1.0'
        in metrics
    )
    assert f'ecoguard_requests_total{{action="flag",route="{CHAT}",status="2xx"}} 1.0' in metrics
    assert "odd" not in metrics


@pytest.mark.parametrize("detector", [WordDetector("odd"), FailingDetector()])
async def test_shadow_policies_change_no_answer_and_are_counted_apart(
    make_rig: RigMaker, detector: Detector
) -> None:
    policies = [{"name": "new", "detector": "d0", "action": "block", "shadow": True}]
    async with make_rig(("block", detector), policies=policies) as rig:
        response = await rig.chat("odd")
        changes = 'ecoguard_shadow_changes_total{action="allow",side="prompt",would="block"} 1.0'
        metrics = await rig.metrics_with(changes)

    assert response.json() == rig.vllm.answer
    assert 'ecoguard_shadow_findings_total{action="block"' in metrics
    assert "ecoguard_findings_total{" not in metrics
    assert f'ecoguard_requests_total{{action="allow",route="{CHAT}",status="2xx"}} 1.0' in metrics


@pytest.mark.parametrize(("on_error", "status"), [("block", 503), ("flag", 200), ("allow", 200)])
async def test_failing_detector_does_what_on_error_says(
    make_rig: RigMaker, on_error: str, status: int
) -> None:
    async with make_rig(("block", FailingDetector()), on_error=on_error) as rig:
        assert (await rig.chat("hello")).status_code == status
        metrics = (await rig.client.get("/metrics")).text

    assert f'{{action="{on_error}",failed="true",policy="p0",side="prompt"}} 1.0' in metrics


async def bypassed(rig: Rig) -> dict[str, float]:
    """Requests sent on unscreened, by reason."""
    lines = (await rig.client.get("/metrics")).text.splitlines()
    found = (line.split() for line in lines if line.startswith("ecoguard_bypassed_requests_total{"))
    return {name.split('"')[1]: float(value) for name, value in found}


@pytest.mark.parametrize(("on_error", "count"), [("block", 0), ("flag", 1), ("allow", 1)])
async def test_what_passes_unjudged_is_counted(
    make_rig: RigMaker, on_error: str, count: int
) -> None:
    async with make_rig(("block", FailingDetector()), on_error=on_error) as rig:
        await rig.chat("hello")
        assert await bypassed(rig) == {"detector_failed": count, "media": 0}


async def test_media_that_pass_unscreened_are_counted(make_rig: RigMaker) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    content = [{"type": "text", "text": "what is this?"}, image]
    async with make_rig(fields={"media": "allow_unscreened"}) as rig:
        await rig.chat("hello")
        body = {"model": "demo", "messages": [{"role": "user", "content": content}]}
        await rig.client.post(CHAT, json=body)
        assert await bypassed(rig) == {"detector_failed": 0, "media": 1}


async def test_whole_answers_are_no_disconnects(make_rig: RigMaker) -> None:
    async with make_rig(("block", WordDetector("attack"))) as rig:
        rig.vllm.script = [chat_chunk("hi", "stop"), DONE]
        for text in ("hello", "attack"):
            for stream in (False, True):
                await rig.chat(text, stream=stream)
        metrics = (await rig.client.get("/metrics")).text

    assert "ecoguard_client_disconnects_total{" not in metrics
    assert "ecoguard_in_flight_requests 0.0" in metrics


async def test_dropped_fields_are_told_to_the_client_and_counted(rig: Rig) -> None:
    plain = await rig.chat("hello")
    response = await rig.chat("hello", thinking={"type": "enabled"}, guardrails=["CANARY"])
    blocked = await rig.chat("an attack", guardrails=[])
    metrics = (await rig.client.get("/metrics")).text

    assert "x-ecoguard-dropped-fields" not in plain.headers
    assert response.headers["x-ecoguard-dropped-fields"] == "thinking, guardrails"
    assert blocked.headers["x-ecoguard-dropped-fields"] == "guardrails"
    assert rig.vllm.requests[1] == rig.vllm.requests[0]
    assert 'ecoguard_dropped_fields_total{field="thinking"} 1.0' in metrics
    assert 'ecoguard_dropped_fields_total{field="other"} 2.0' in metrics
    assert "guardrails" not in metrics


async def test_unknown_fields_are_refused_where_the_operator_says_so(make_rig: RigMaker) -> None:
    async with make_rig(fields={"unknown": "refuse"}) as rig:
        error = (await rig.chat("hello", zzz=1)).json()["error"]

    assert (error["param"], error["code"]) == ("zzz", "unknown_field")
    assert rig.vllm.requests == []


async def test_corrupting_without_a_table_blocks(make_rig: RigMaker) -> None:
    async with make_rig(
        ("corrupt", WordDetector("secret")), models={"demo": {"path": "/nowhere"}}
    ) as rig:
        response = await rig.chat("the secret")

    assert response.json()["error"]["code"] == "content_filter"
    assert rig.vllm.requests == []


BAD_BODIES: list[tuple[str, bytes, int, str | None, str]] = [
    ("not json", b"{", 400, None, "invalid_json"),
    ("not utf-8", b'{"model": "\xff"}', 400, None, "invalid_json"),
    ("no messages", b'{"model": "demo"}', 400, "messages", "invalid_request"),
    ("empty messages", b'{"model": "demo", "messages": []}', 400, "messages", "invalid_request"),
    (
        "messages no list",
        b'{"model": "demo", "messages": "hi"}',
        400,
        "messages",
        "invalid_request",
    ),
    (
        "no role",
        b'{"model": "demo", "messages": [{"content": "x"}]}',
        400,
        "messages.0.role",
        "invalid_request",
    ),
    (
        "refused field",
        b'{"model": "demo", "cache_salt": "x"}',
        400,
        "cache_salt",
        "field_refused",
    ),
]


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [case[1:] for case in BAD_BODIES],
    ids=[case[0] for case in BAD_BODIES],
)
async def test_bad_bodies_get_clear_errors_and_the_next_request_works(
    rig: Rig, body: bytes, status: int, param: str | None, code: str
) -> None:
    headers = {"content-type": "application/json"}
    response = await rig.client.post(CHAT, content=body, headers=headers)

    error = response.json()["error"]
    assert (response.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert (await rig.chat("hello")).status_code == 200


async def test_body_over_the_limit_is_refused_declared_or_chunked(make_rig: RigMaker) -> None:
    async with make_rig(limits={"body_bytes": 2048}) as rig:

        async def chunks() -> Any:
            for _ in range(8):
                yield b" " * 1024

        headers = {"content-type": "application/json"}
        declared = await rig.client.post(CHAT, content=b" " * 4096, headers=headers)
        chunked = await rig.client.post(CHAT, content=chunks(), headers=headers)

        assert (declared.status_code, chunked.status_code) == (413, 413)
        assert declared.json()["error"]["code"] == "request_too_large"
        assert (await rig.chat("hello")).status_code == 200


async def test_compressed_body_is_refused(rig: Rig) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await rig.client.post(CHAT, content=b"{}", headers=headers)

    assert response.status_code == 415


async def test_the_model_may_be_left_out_where_there_is_one(make_rig: RigMaker) -> None:
    body = {"messages": [{"role": "user", "content": "x"}]}
    sent = []
    configured: list[dict[str, Any]] = [{}, {"demo": {}}]
    for models in configured:
        async with make_rig(models=models) as rig:
            assert (await rig.client.post(CHAT, json=body)).status_code == 200
            sent.append(rig.vllm.requests[-1])
    async with make_rig(models={"demo": {}, "other": {}}) as rig:
        ambiguous = await rig.client.post(CHAT, json=body)

    assert sent == [body, {"model": "demo", **body}]
    assert (ambiguous.status_code, ambiguous.json()["error"]["param"]) == (400, "model")


async def test_unknown_model_is_404_where_models_are_configured(make_rig: RigMaker) -> None:
    async with make_rig(models={"other": {"path": "/nowhere"}}) as rig:
        response = await rig.chat("hello")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


async def test_upstream_error_keeps_its_status_and_message(rig: Rig) -> None:
    rig.vllm.status = 400
    rig.vllm.answer = {"error": {"message": "too long", "type": "BadRequestError", "code": 400}}

    response = await rig.chat("hello")

    assert response.status_code == 400
    assert response.json()["error"]["message"] == "too long"


@pytest.mark.parametrize("status", [202, 302, 401, 403, 500, 503])
async def test_upstream_faults_are_502(rig: Rig, status: int) -> None:
    rig.vllm.status = status
    rig.vllm.answer = {"error": {"message": "inner detail"}}

    response = await rig.chat("hello")

    assert response.status_code == 502
    assert "inner detail" not in response.text


async def test_unreachable_upstream_is_503(make_rig: RigMaker) -> None:
    async with make_rig(upstream={"url": "http://127.0.0.1:9"}) as rig:
        response = await rig.chat("hello")
        assert response.json()["error"]["code"] == "upstream_unavailable"
        assert (await rig.client.get("/readyz")).status_code == 503
        assert (await rig.client.get("/livez")).status_code == 200

    assert response.status_code == 503


async def test_stream_passes_byte_for_byte(rig: Rig) -> None:
    events = [chat_chunk("Hel"), chat_chunk("lo", "stop"), DONE]
    whole = b"".join(events)
    rig.vllm.script = [whole[:30], whole[30:31], whole[31:]]

    response = await rig.chat("hello", stream=True)

    assert response.content == whole
    assert response.headers["content-type"].startswith("text/event-stream")


async def test_first_event_arrives_before_the_second_is_sent(rig: Rig) -> None:
    rig.vllm.script = [chat_chunk("one"), None, chat_chunk("two"), DONE]
    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": "hi"}]}

    async with rig.client.stream("POST", CHAT, json=body) as response:
        chunks = response.aiter_bytes()
        assert b"one" in await anext(chunks)
        rig.vllm.gate.set()
        rest = b"".join([chunk async for chunk in chunks])

    assert rest.endswith(DONE)


@pytest.mark.parametrize(
    "script",
    [[chat_chunk("Hel"), "die"], [chat_chunk("Hel"), b'data: {"half'], [chat_chunk("Hel")]],
    ids=["connection lost", "half an event", "no DONE"],
)
async def test_lost_upstream_ends_the_stream_with_an_error_and_no_done(
    rig: Rig, script: list[bytes | str | None]
) -> None:
    rig.vllm.script = script

    response = await rig.chat("hello", stream=True)

    events = [json.loads(e.removeprefix("data: ")) for e in response.text.strip().split("\n\n")]
    assert events[0]["choices"][0]["delta"]["content"] == "Hel"
    assert events[-1]["error"]["type"] == "upstream_error"
    assert "[DONE]" not in response.text


@pytest.mark.parametrize("stream", [True, False])
async def test_client_leaving_cancels_the_upstream_request(rig: Rig, stream: bool) -> None:
    rig.vllm.hold = not stream
    rig.vllm.script = [chat_chunk("one"), None]
    task = asyncio.create_task(rig.chat("hello", stream=stream))
    async with asyncio.timeout(5):
        await rig.vllm.arrived.wait()
        task.cancel()
        await rig.vllm.gone.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_request_id_goes_in_and_out_and_identity_headers_stay(rig: Rig) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {
        "x-request-id": "abc-1",
        "traceparent": trace,
        "authorization": "Bearer secret",
        "x-forwarded-for": "1.2.3.4",
        "cookie": "a=b",
    }
    rig.client.headers.update(headers)

    response = await rig.chat("hello")

    sent = rig.vllm.headers[-1]
    assert response.headers["x-request-id"] == sent["x-request-id"] == "abc-1"
    assert sent["traceparent"] == trace
    assert not {"authorization", "x-forwarded-for", "cookie"} & sent.keys()


CODE = ("cr_code", "gi_code", "ag_code", "f_code", "__code__")


def is_of_a_request(thing: object) -> bool:
    """Whether it is of a class or a function of the guard's, or a request's body."""
    code = next((getattr(thing, name) for name in CODE if hasattr(thing, name)), None)
    if code is not None:
        return Path(guard.__file__).parent in Path(code.co_filename).parents
    return type(thing).__module__.startswith("guard.") or (
        isinstance(thing, dict) and "messages" in thing
    )


@contextmanager
def garbage() -> Iterator[list[object]]:
    """What only the garbage collector finds of what is done in the block, once it is left."""
    found: list[object] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("headers", [{}, {"connection": "close"}], ids=["kept", "closed"])
@pytest.mark.parametrize("stream", [False, True])
async def test_requests_leave_nothing_to_the_garbage_collector(
    rig: Rig, stream: bool, headers: dict[str, str]
) -> None:
    """A ring of objects would hold a request's body until the collector comes. A connection that
    ends leaves one of asyncio's own: transport and socket, without a request."""
    rig.vllm.script = [chat_chunk("Hello."), DONE]
    await rig.chat("hello", stream=stream)
    with garbage() as found:
        for _ in range(10):
            await rig.chat("hello", stream=stream, headers=headers)
    assert not [thing for thing in found if is_of_a_request(thing)]


def test_a_request_in_a_ring_is_found() -> None:
    with garbage() as found:
        body: dict[str, object] = {"messages": []}
        body["ring"] = body
        del body
    assert any(is_of_a_request(thing) for thing in found)


async def test_hostile_request_id_is_replaced(rig: Rig) -> None:
    rig.client.headers["x-request-id"] = "a b\tc"

    response = await rig.chat("hello")

    assert response.headers["x-request-id"] != "a b\tc"


async def test_too_many_requests_at_once_are_turned_away(make_rig: RigMaker) -> None:
    async with make_rig(limits={"concurrent_requests": 1}) as rig:
        rig.vllm.hold = True
        first = asyncio.create_task(rig.chat("hello"))
        await rig.vllm.arrived.wait()
        second = await rig.chat("hello")
        rig.vllm.gate.set()

        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        assert (await first).status_code == 200


KEY = {"name": "app", "sha256": "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic secret"}, 401),
        ({"authorization": "Bearer secret"}, 200),
        ({"x-api-key": "secret"}, 200),
    ],
)
async def test_keys(make_rig: RigMaker, headers: dict[str, str], status: int) -> None:
    async with make_rig(keys=[KEY]) as rig:
        rig.client.headers.update(headers)
        answered = await rig.chat("hello")
        listed = await rig.client.get("/v1/models")

    assert (answered.status_code, listed.status_code) == (status, status)
    assert len(rig.vllm.requests) == (status == 200)


async def test_models_are_listed_without_folder_names(rig: Rig) -> None:
    listed = (await rig.client.get("/v1/models")).json()

    assert listed["data"] == [{"id": "demo", "object": "model", "max_model_len": 512}]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1%2fchat/completions",
        "/v1/chat%2Fcompletions",
        "/V1/chat/completions",
        "/invocations",
        "/inference/v1/generate",
        "/v1/chat/completions/batch",
        "/v1/chat/completions/render",
        "/generative_scoring",
        "/pooling",
        "/collective_rpc",
        "/docs",
        "/openapi.json",
    ],
)
async def test_other_paths_are_404_in_openais_form(rig: Rig, path: str) -> None:
    url = httpx2.URL(str(rig.client.base_url)).copy_with(raw_path=path.encode())
    body = {"model": "demo", "messages": [{"role": "user", "content": "attack"}]}

    response = await rig.client.send(rig.client.build_request("POST", url, json=body))

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "unknown_url"
    assert rig.vllm.paths == []


async def test_wrong_method_is_405_in_openais_form(rig: Rig) -> None:
    response = await rig.client.get(CHAT)

    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")


async def test_vllm_fake_is_clean() -> None:
    assert FakeVLLM().requests == []
