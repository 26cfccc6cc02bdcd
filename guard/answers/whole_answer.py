"""An answer that is not streamed: judged as a whole before any of it goes."""

import asyncio

import orjson

from guard.answers.endings import with_choices, without_text
from guard.answers.guarded_answer import GuardedAnswer
from guard.answers.texts import answer_item, readable, said
from guard.terms.errors import ScreeningError
from guard.terms.json import JsonObject
from guard.terms.verdict import Action, Verdict


async def judged_body(answer: GuardedAnswer, body: bytes) -> tuple[bytes, Verdict]:
    """The body without what a policy stops, and the verdict; untouched where none does.

    Raises ScreeningError where a policy that must judge cannot, ValueError for an unreadable body.
    """
    whole = orjson.loads(body)
    choices = [choice for choice in whole.get("choices") or () if isinstance(choice, dict)]
    answer.hear(choices)
    ending = "unjudged"
    try:
        verdicts = await asyncio.gather(*(_verdict(answer, choice) for choice in choices))
        for failure in (verdict.failure for verdict in verdicts):
            if failure:
                raise ScreeningError(failure)
        stopped = [verdict.action is Action.BLOCK for verdict in verdicts]
        ending = "stopped" if any(stopped) else "complete"
    finally:
        found = answer.close(ending)
    await answer.shadow(found)
    if not any(stopped):
        return body, found
    kept = [
        _refused(answer, choice, verdict) if stop else choice
        for choice, verdict, stop in zip(choices, verdicts, stopped, strict=True)
    ]
    return with_choices(whole, kept), found


async def _verdict(answer: GuardedAnswer, choice: JsonObject) -> Verdict:
    index = choice.get("index")
    number = index if isinstance(index, int) else 0
    items = [answer_item(number, channel, readable(text)) for channel, text in said(choice)]
    return await answer.judge.look(items) if items else Verdict()


def _refused(answer: GuardedAnswer, choice: JsonObject, verdict: Verdict) -> JsonObject:
    return without_text(answer.call, choice, answer.refusal(verdict))
