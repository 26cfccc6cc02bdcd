"""Judged answers through the whole proxy, in all four protocols, streamed and not."""

import re
from typing import Any

import orjson
import pytest

from guard.terms.detector import Detector
from tests.fakes import DONE, FailingDetector, WordDetector, chat_answer, chat_chunk
from tests.guard.conftest import Rig, RigMaker

SENTENCE = "This sentence has more than forty letters. "
GOOD, BAD = SENTENCE * 3, SENTENCE * 3 + "Now an attack. " + SENTENCE
CHAT = {"messages": [{"role": "user", "content": "hi"}]}
ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {**CHAT, "max_tokens": 99},
}
ALL = pytest.mark.parametrize("route", ROUTES)
ATTACK = WordDetector("attack")


def rule(mode: str | None = "hold", **said: Any) -> dict[str, Any]:
    """A policy for answers."""
    fields = {"name": "p0", "detector": "d0", "action": "block", "side": "answer", "mode": mode}
    return {**fields, **said}


def answering(rig: Rig, route: str, text: str) -> None:
    """Have the model say `text`, whether it is asked to stream or not."""
    pieces = re.findall(r"\S+ ?", text)
    if route == "/v1/completions":
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
        rig.vllm.answer = {**chat_answer(""), "object": "text_completion", "choices": [choice]}
        rig.vllm.script = [completion_chunk(p) for p in pieces]
        rig.vllm.script += [completion_chunk("", "stop"), DONE]
        return
    rig.vllm.answer = chat_answer(text)
    rig.vllm.script = [*map(chat_chunk, pieces), chat_chunk("", "stop"), DONE]


def completion_chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    return (
        b"data: " + orjson.dumps({"id": "cmpl-1", "model": "demo", "choices": [choice]}) + b"\n\n"
    )


async def asked(rig: Rig, route: str, *, stream: bool) -> str:
    """The answer, as it came."""
    body = {"model": "demo", "stream": stream, **ROUTES[route]}
    response = await rig.client.post(route, json=body)
    assert response.status_code == 200, response.text
    return response.text


def stopped(route: str, answer: str) -> bool:
    """Whether an answer ended in its protocol's form of a filtered one."""
    words = {
        "/v1/responses": '"incomplete_details":{"reason":"content_filter"}',
        "/v1/messages": '"stop_reason":"refusal"',
    }
    return words.get(route, '"finish_reason":"content_filter"') in answer


@ALL
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mode", ["hold", "tail", "whole"])
async def test_an_answer_that_is_stopped_ends_in_its_protocols_form(
    make_rig: RigMaker, route: str, stream: bool, mode: str
) -> None:
    async with make_rig(("block", ATTACK), policies=[rule(mode)]) as rig:
        answering(rig, route, BAD)
        answer = await asked(rig, route, stream=stream)
        answering(rig, route, GOOD)
        clean = await asked(rig, route, stream=stream)

    assert stopped(route, answer)
    assert "attack" not in answer or mode == "tail"
    assert not stopped(route, clean)
    assert clean.count("letters") >= 3
    ending = {"/v1/responses": "response.incomplete", "/v1/messages": "message_stop"}
    if stream:
        assert ending.get(route, "data: [DONE]") in answer.strip().rsplit("\n\n", 1)[-1]


@ALL
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_is_told_as_one(make_rig: RigMaker, route: str, stream: bool) -> None:
    async with make_rig(("block", FailingDetector()), policies=[rule()]) as rig:
        answering(rig, route, GOOD)
        body = {"model": "demo", "stream": stream, **ROUTES[route]}
        response = await rig.client.post(route, json=body)

    assert response.status_code == (200 if stream else 503)
    assert "could not be screened" in response.text
    assert not stopped(route, response.text)
    assert "letters" not in response.text


@pytest.mark.parametrize("route", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("stream", [False, True])
async def test_without_answer_policies_answers_go_untouched(
    make_rig: RigMaker, route: str, stream: bool
) -> None:
    async with make_rig(("block", ATTACK)) as rig:
        answering(rig, route, BAD)
        answer = await asked(rig, route, stream=stream)
        script = b"".join(chunk for chunk in rig.vllm.script if isinstance(chunk, bytes))

    whole = orjson.dumps(rig.vllm.answer)
    assert answer.encode() == (script if stream else whole)


async def test_the_model_server_is_told_that_nobody_reads_on(make_rig: RigMaker) -> None:
    async with make_rig(("block", ATTACK), policies=[rule()]) as rig:
        rig.vllm.script = [chat_chunk("an attack. " + SENTENCE), None, chat_chunk("more"), DONE]
        answer = (await rig.chat("hi", stream=True)).text
        await rig.vllm.gone.wait()
        metrics = (await rig.client.get("/metrics")).text

    assert stopped("/v1/chat/completions", answer)
    assert "ecoguard_answers_cancelled_total 1.0" in metrics
    assert 'ecoguard_answer_leaked_characters_total{mode="hold"} 0.0' in metrics


async def test_a_prompts_policies_do_not_judge_answers_nor_theirs_prompts(
    make_rig: RigMaker,
) -> None:
    rules: list[tuple[str, Detector]] = [("block", ATTACK), ("block", WordDetector("letters"))]
    policies = [rule(), rule(name="p1", detector="d1", side="prompt", mode=None)]
    async with make_rig(*rules, policies=policies) as rig:
        answering(rig, "/v1/chat/completions", GOOD)
        assert (await rig.chat("an attack")).json()["choices"][0]["finish_reason"] == "stop"
        assert (await rig.chat("letters")).status_code == 400


async def test_an_unreadable_answer_is_no_answer(make_rig: RigMaker) -> None:
    async with make_rig(("block", ATTACK), policies=[rule()]) as rig:
        rig.vllm.script = [b"data: {\n\n", DONE]
        stream = (await rig.chat("hi", stream=True)).text

    assert "unreadable answer" in stream
