"""Chat answers into Anthropic messages."""

import uuid
from collections.abc import Sequence

import orjson

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.wire.chat_answers import Answer, Block, Kind, Usage

# Reasons that cut an answer short: a tool call at its end may be incomplete and must not run.
_CUTTING = frozenset({"max_tokens", "stop_sequence", "refusal"})


def new_message_id() -> str:
    """A fresh message id."""
    return f"msg_{uuid.uuid4().hex}"


def message(
    message_id: str,
    model: str,
    content: Sequence[JsonObject],
    usage: JsonObject,
    stop_reason: str | None = None,
    stop_sequence: str | None = None,
) -> JsonObject:
    """The message object."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(content),
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage,
    }


def message_of(model: str, answer: Answer) -> JsonObject:
    """The message of a whole answer.

    Raises RequestError for a tool call whose input is no object: as with vLLM itself a 400, which
    clients do not send again, for the model would call the same.
    """
    reason, sequence = stop_reason_of(answer)
    content = []
    for block in answer.blocks:
        if (made := content_block(block)) is not None:
            content.append(made)
        elif reason not in _CUTTING:
            raise _no_input(block)
    return message(new_message_id(), model, content, usage_of(answer.usage), reason, sequence)


def refused_message(model: str, text: str) -> JsonObject:
    """The message that refuses."""
    content: JsonObject = {"type": "text", "text": text}
    return message(new_message_id(), model, [content], usage_of(Usage()), "refusal")


def stop_reason_of(answer: Answer) -> tuple[str, str | None]:
    """Why the answer ended, and the stop sequence that ended it.

    A complete tool call wins over the stop string behind it; one that was cut short does not.
    """
    if answer.finish_reason == "length":
        return "max_tokens", None
    if answer.finish_reason == "content_filter":
        return "refusal", None
    calls = [block for block in answer.blocks if block.kind is Kind.TOOL_CALL]
    complete = bool(calls) and tool_input(calls[-1]) is not None
    if answer.stop_sequence is not None and not complete:
        return "stop_sequence", answer.stop_sequence
    return ("tool_use" if calls else "end_turn"), None


def content_block(block: Block) -> JsonObject | None:
    """The content block of a complete block; None for a tool call whose input is no object."""
    if block.kind is Kind.TEXT:
        return {"type": "text", "text": block.text}
    if block.kind is Kind.REASONING:
        return {"type": "thinking", "thinking": block.text, "signature": new_signature()}
    found = tool_input(block)
    if found is None:
        return None
    return {"type": "tool_use", "id": block.call_id, "name": block.name, "input": found}


def tool_input(block: Block) -> JsonObject | None:
    """A tool call's input, empty for `null`; None when its arguments are not one JSON object."""
    try:
        found = orjson.loads(block.text or "{}")
    except orjson.JSONDecodeError:
        return None
    if found is None:
        return {}
    return found if isinstance(found, dict) else None


def _no_input(block: Block) -> RequestError:
    return RequestError(
        "The model called a tool with an input that is no JSON object",
        param=f"content.{block.index}.input",
        code="unreadable_tool_call",
    )


def new_signature() -> str:
    """What stands for the signature of a thinking block: clients send it back, nobody reads it."""
    return uuid.uuid4().hex


def usage_of(usage: Usage) -> JsonObject:
    """Token counts: cached prompt tokens are counted apart from the other input."""
    counts: JsonObject = {"output_tokens": usage.output_tokens}
    fresh = usage.prompt_tokens
    if usage.cached_tokens is not None:
        counts["cache_read_input_tokens"] = usage.cached_tokens
        fresh -= usage.cached_tokens
    if usage.cache_write_tokens is not None:
        counts["cache_creation_input_tokens"] = usage.cache_write_tokens
        fresh -= usage.cache_write_tokens
    return {"input_tokens": max(0, fresh), **counts}
