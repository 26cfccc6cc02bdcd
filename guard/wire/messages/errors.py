"""Errors in Anthropic's envelope."""

import orjson

from guard.terms.errors import ClientVisibleError
from guard.terms.json import JsonObject
from guard.wire.envelopes import FILTERED_MESSAGE

KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    529: "overloaded_error",
}


def error_body(error: ClientVisibleError) -> JsonObject:
    """The error object; the message names the field at fault, for which it has no place."""
    message = error.message
    if error.param and error.param not in message:
        message = f"{error.param}: {message}"
    return _envelope(_kind(error.status), message)


def error_event(error: ClientVisibleError) -> bytes:
    """An error inside a stream."""
    return b"event: error\ndata: " + orjson.dumps(error_body(error)) + b"\n\n"


def filtered_body() -> JsonObject:
    """The body of a 400 for a blocked prompt."""
    return _envelope("invalid_request_error", FILTERED_MESSAGE)


def _kind(status: int) -> str:
    return KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")


def _envelope(kind: str, message: str) -> JsonObject:
    return {"type": "error", "error": {"type": kind, "message": message}}
