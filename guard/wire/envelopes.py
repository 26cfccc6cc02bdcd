"""Errors and refusals in OpenAI's form; the other protocols' forms stand in their own modules."""

import re
import time
import uuid

import orjson

from guard.terms.errors import ClientVisibleError, RequestError
from guard.terms.item import Call
from guard.terms.json import JsonObject

# "content filtering policy" are Anthropic's words, by which LiteLLM knows a block from other 400s.
FILTERED_MESSAGE = (
    "The response was filtered due to the prompt triggering the deployment's content filtering "
    "policy. Please modify your prompt and retry."
)
# What vLLM calls a prompt that is longer than the context; neither is a field of a request.
_TOO_LONG = frozenset({"input_text", "input_tokens"})
_VLLM_SUFFIX = re.compile(r" \(parameter=\w+, value=\d+\)$")


def error_body(error: ClientVisibleError) -> JsonObject:
    """OpenAI's error object."""
    return {
        "error": {
            "message": error.message,
            "type": error.kind,
            "param": error.param,
            "code": error.code,
        }
    }


def filtered_body(param: str) -> JsonObject:
    """The 400 body of a blocked prompt, in the shape that Azure OpenAI's clients read.

    Which detector fired, and why, is not told: it would help whoever probes the guard.
    """
    return {
        "error": {
            "message": FILTERED_MESSAGE,
            "type": "invalid_request_error",
            "param": param,
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "reason": "content_policy_violation",  # OpenAI's word, by which LiteLLM knows it
                "content_filter_result": {"ecoguard": {"detected": True, "filtered": True}},
            },
        }
    }


def event(body: JsonObject) -> bytes:
    """One server-sent event holding `body`."""
    return b"data: " + orjson.dumps(body) + b"\n\n"


DONE = b"data: [DONE]\n\n"
_NO_USAGE: JsonObject = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def refusal_completion(call: Call, text: str) -> JsonObject:
    """A 200 answer that refuses: `finish_reason` is `content_filter`, usage is zero."""
    kind = "chat.completion" if call.protocol == "chat" else "text_completion"
    return {
        **_head(call, kind),
        "choices": [_refusal_choice(call, index, text) for index in range(choices(call))],
        "usage": _NO_USAGE,
    }


def refusal_events(call: Call, text: str) -> list[bytes]:
    """The same refusal as a stream, its end in an event of its own as vLLM has it."""
    head = _head(call, "chat.completion.chunk" if call.protocol == "chat" else "text_completion")
    body = [
        event({**head, "choices": [choice]})
        for index in range(choices(call))
        for choice in _refusal_deltas(call, index, text)
    ]
    options = call.body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        body.append(event({**head, "choices": [], "usage": _NO_USAGE}))
    return [*body, DONE]


def choices(call: Call) -> int:
    """How many choices the client expects."""
    n = call.body.get("n")
    prompt = call.body.get("prompt")
    several = len(prompt) if isinstance(prompt, list) and not isinstance(prompt[0], int) else 1
    return (n if isinstance(n, int) and n > 0 else 1) * several


def _head(call: Call, kind: str) -> JsonObject:
    prefix = "chatcmpl" if call.protocol == "chat" else "cmpl"
    return {
        "id": f"{prefix}-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": call.model,
    }


def _refusal_choice(call: Call, index: int, text: str) -> JsonObject:
    ending: JsonObject = {"index": index, "logprobs": None, "finish_reason": "content_filter"}
    if call.protocol == "chat":
        return {**ending, "message": {"role": "assistant", "content": text, "refusal": text}}
    return {**ending, "text": text}


def _refusal_deltas(call: Call, index: int, text: str) -> tuple[JsonObject, JsonObject]:
    saying: JsonObject = {"index": index, "logprobs": None, "finish_reason": None}
    ending: JsonObject = {**saying, "finish_reason": "content_filter"}
    if call.protocol == "chat":
        delta = {"role": "assistant", "content": text, "refusal": text}
        return {**saying, "delta": delta}, {**ending, "delta": {}}
    return {**saying, "text": text}, {**ending, "text": ""}


def names_no_route(body: bytes) -> bool:
    """Whether the body of a 404 says that the server has no such route, and not that it has no
    such model: vLLM says that in OpenAI's form."""
    try:
        return str(orjson.loads(body)["error"]["message"]).lower() == "not found"
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return True


def read_error(body: bytes, status: int) -> ClientVisibleError:
    """The error in a model server's body; a plain one when it is not in OpenAI's form."""
    try:
        error = orjson.loads(body)["error"]
        message, kind, param = error["message"], error.get("type"), error.get("param")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        message, kind, param = "The model server refused the request", None, None
    if isinstance(param, str) and param in _TOO_LONG:
        return RequestError(_VLLM_SUFFIX.sub("", str(message)), code="context_length_exceeded")
    return RequestError(
        str(message),
        status=status,
        param=param if isinstance(param, str) else None,
        kind=kind if isinstance(kind, str) else "invalid_request_error",
        code="model_not_found" if status == 404 else "invalid_request",
    )
