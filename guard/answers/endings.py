"""How an answer ends that must not go on: in vLLM's form, from which other protocols make theirs.

`finish_reason: content_filter` becomes `incomplete_details` in Responses and `stop_reason: refusal`
in Messages.
"""

import orjson

from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire.envelopes import DONE, event

FILTERED = "content_filter"


def last_chunk(
    call: Call, head: JsonObject, index: int, text: str, *, is_first: bool = False
) -> bytes:
    """The event that ends one choice; `text` is said in it, "" for nothing. Where it is the first
    one too, it says who speaks."""
    ending: JsonObject = {"index": index, "logprobs": None, "finish_reason": FILTERED}
    speaker: JsonObject = {"role": "assistant"} if is_first else {}
    delta: JsonObject = {**speaker, "content": text} if text else speaker
    said: JsonObject = {"text": text} if _completes(call) else {"delta": delta}
    return event({**head, "choices": [{**ending, **said}]})


def stream_end(call: Call, head: JsonObject, usage: object) -> bytes:
    """The end of a stream whose choices have all ended: usage, where it was asked for and is known,
    and `[DONE]`."""
    options = call.body.get("stream_options")
    wanted = isinstance(options, dict) and options.get("include_usage")
    if not (wanted and usage):
        return DONE
    return event({**head, "choices": [], "usage": usage}) + DONE


def without_text(call: Call, choice: JsonObject, text: str) -> JsonObject:
    """A choice of a whole answer with nothing of what the model said, but `text`."""
    ending: JsonObject = {
        "index": choice.get("index", 0),
        "logprobs": None,
        "finish_reason": FILTERED,
    }
    if _completes(call):
        return {**ending, "text": text}
    message: JsonObject = {"role": "assistant", "content": text, "refusal": text or None}
    return {**ending, "message": message}


def fallback(call: Call, structured: str | None, text: str) -> str:
    """What is said in place of an answer: where JSON was asked for, JSON or nothing."""
    return (structured or "") if asks_for_structure(call) else text


def asks_for_structure(call: Call) -> bool:
    """Whether the client is promised JSON, or what a grammar allows."""
    wanted = call.body.get("response_format")
    if isinstance(wanted, dict) and wanted.get("type") not in (None, "text"):
        return True
    return call.body.get("structured_outputs") is not None


def with_choices(body: JsonObject, choices: list[JsonObject]) -> bytes:
    """A whole answer with other choices."""
    return orjson.dumps({**body, "choices": choices})


def _completes(call: Call) -> bool:
    return call.upstream_path == "/v1/completions"
