"""An answer that is not streamed: judged as a whole before any of it goes."""

import asyncio

import orjson

from guard.answers.asking_again import AskAgain, answered
from guard.answers.endings import FILTERED, with_choices, without_text
from guard.answers.guarded_answer import GuardedAnswer
from guard.answers.redaction import is_editable, redacted, with_texts
from guard.answers.texts import Channel, answer_item, readable, said
from guard.terms.errors import ScreeningError, UpstreamError
from guard.terms.json import JsonObject
from guard.terms.verdict import Action, Verdict


async def judged_body(answer: GuardedAnswer, body: bytes) -> tuple[bytes, Verdict]:
    """The body without what a policy stops, and the verdict; untouched where none does.

    Raises ScreeningError where a policy that must judge cannot, ValueError for an unreadable body.
    """
    ending = "unjudged"
    try:
        judged, is_stopped = await _judged(answer, body, again=answer.again)
        ending = "stopped" if is_stopped else "complete"
    except UpstreamError:
        ending = "broken"
        raise
    finally:
        found = answer.close(ending)
    await answer.shadow(found)
    return judged, found


async def _judged(answer: GuardedAnswer, body: bytes, again: AskAgain | None) -> tuple[bytes, bool]:
    """What of a body goes to the client, or of the next where it must be replaced; and whether some
    choice was stopped."""
    whole = orjson.loads(body)
    choices = [choice for choice in whole.get("choices") or () if isinstance(choice, dict)]
    verdicts = await asyncio.gather(*(_verdict(answer, choice) for choice in choices))
    for failure in (verdict.failure for verdict in verdicts):
        if failure:
            raise ScreeningError(failure)
    if again and any(verdict.action is Action.REPLACE for verdict in verdicts):
        async with answered(again) as reply:
            return await _judged(answer, await reply.body(), again=None)
    answer.hear(choices)
    kept = [await _kept(answer, *judged) for judged in zip(choices, verdicts, strict=True)]
    is_same = all(one is other for one, other in zip(kept, choices, strict=True))
    stopped = any(choice.get("finish_reason") == FILTERED for choice in kept)
    return (body if is_same else with_choices(whole, kept)), stopped


async def _kept(answer: GuardedAnswer, choice: JsonObject, verdict: Verdict) -> JsonObject:
    """What of a choice goes to the client."""
    if verdict.action <= Action.FLAG:
        return choice
    texts = await _redacted(answer, choice, verdict) if verdict.action is Action.REDACT else None
    if texts is None:
        return without_text(answer.call, choice, answer.refusal(verdict))
    return with_texts(choice, texts)


async def _redacted(
    answer: GuardedAnswer, choice: JsonObject, verdict: Verdict
) -> dict[Channel, str] | None:
    """The texts of a choice without what was found; None where nobody can say where it stands."""
    texts, places = {}, list(said(choice))
    for index in verdict.items(Action.REDACT):
        channel, text = places[index]
        spans = await answer.judge.spans(verdict, index, text)
        if spans is None or not is_editable(channel) or readable(text) != text:
            return None
        texts[channel] = redacted(text, spans)
    return texts


async def _verdict(answer: GuardedAnswer, choice: JsonObject) -> Verdict:
    index = choice.get("index")
    number = index if isinstance(index, int) else 0
    items = [answer_item(number, channel, readable(text)) for channel, text in said(choice)]
    return await answer.judge.look(items) if items else Verdict()
