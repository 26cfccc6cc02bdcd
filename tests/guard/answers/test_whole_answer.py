"""Answers that are not streamed: judged before any of it goes."""

from typing import Any

import orjson
import pytest

from guard.answers.whole_answer import judged_body
from guard.terms.errors import ScreeningError
from guard.terms.verdict import Action
from tests.fakes import FailingDetector, chat_answer
from tests.guard.answers.judging import desk, policy


def body(*messages: dict[str, Any]) -> bytes:
    """A chat completion with a choice for each message."""
    choices = [
        {"index": i, "message": m, "logprobs": {"content": []}, "finish_reason": "stop"}
        for i, m in enumerate(messages)
    ]
    return orjson.dumps({**chat_answer(""), "choices": choices})


def calling(arguments: str) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]}


async def test_a_clean_answer_is_untouched() -> None:
    answer = body({"content": "fine", "reasoning": "so"}, calling('{"a": 1}'), {"content": None})
    with desk() as at_desk:
        found, verdict = await judged_body(at_desk.guard(), answer)

    assert found is answer
    assert verdict.action is Action.ALLOW
    assert at_desk.notes.verdicts == [verdict]
    assert at_desk.sample("ecoguard_answers_total", mode="hold", ending="complete") == 1


@pytest.mark.parametrize(
    "message",
    [
        {"content": "an attack"},
        {"content": "fine", "reasoning": "attack"},
        {"content": None, "refusal": "attack"},
        calling('{"a": "attack"}'),
        calling('{"a": "\\u0061ttack"}'),
    ],
)
async def test_nothing_is_left_of_a_choice_that_is_stopped(message: dict[str, Any]) -> None:
    with desk() as at_desk:
        found, verdict = await judged_body(at_desk.guard(), body({"content": "fine"}, message))

    first, second = orjson.loads(found)["choices"]
    assert first["message"] == {"content": "fine"}
    assert second == {
        "index": 1,
        "message": {"role": "assistant", "content": "", "refusal": None},
        "logprobs": None,
        "finish_reason": "content_filter",
    }
    assert orjson.loads(found)["usage"] == chat_answer("")["usage"]
    assert verdict.action is Action.BLOCK


async def test_a_refusal_is_said_where_refusals_are_messages() -> None:
    with desk(refusal={"form": "message", "text": "No."}) as at_desk:
        found, _ = await judged_body(at_desk.guard(), body({"content": "attack"}))

    message = orjson.loads(found)["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "No.", "refusal": "No."}


async def test_a_failure_is_no_verdict() -> None:
    with desk(policy(detector=FailingDetector())) as at_desk:
        guarded = at_desk.guard()
        with pytest.raises(ScreeningError):
            await judged_body(guarded, body({"content": "fine"}))

    assert at_desk.notes.verdicts[0].label == "unjudged"
    assert at_desk.sample("ecoguard_answers_total", mode="hold", ending="unjudged") == 1


async def test_shadows_judge_it_too() -> None:
    with desk(policy(shadow=True)) as at_desk:
        answer = body({"content": "attack"})
        assert (await judged_body(at_desk.guard(), answer))[0] is answer
        verdict = await at_desk.notes.shadows[0]

    assert verdict.would is Action.BLOCK
