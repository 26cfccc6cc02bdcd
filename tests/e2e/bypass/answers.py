"""What an answer must look like, in each protocol's own envelope."""

from typing import Any

import httpx2

from tests.e2e.bypass.vectors.vector import COUNT_TOKENS, MESSAGES

ANTHROPIC = frozenset({MESSAGES, COUNT_TOKENS})
FILTERED_BY_MESSAGES = "The response was filtered"


def error_of(answer: httpx2.Response, route: str) -> dict[str, Any]:
    """The error of an answer, once its envelope was checked."""
    assert answer.headers["content-type"].startswith("application/json"), answer.text[:200]
    body: dict[str, Any] = answer.json()
    error: dict[str, Any] = body["error"]
    assert error["message"]
    if route in ANTHROPIC:
        assert body["type"] == "error"
        assert set(error) == {"type", "message"}
    else:
        assert {"message", "type", "param", "code"} <= set(error)
    return error


def assert_filtered(answer: httpx2.Response, route: str) -> None:
    """The prompt was seen and blocked."""
    error = error_of(answer, route)
    assert answer.status_code == 400, answer.text
    if route in ANTHROPIC:
        assert FILTERED_BY_MESSAGES in error["message"], error
    else:
        assert error["code"] == "content_filter", error


def assert_refused(answer: httpx2.Response, route: str, status: int, param: str | None) -> None:
    """The request's form was refused, naming the field where there is one."""
    error = error_of(answer, route)
    assert answer.status_code == status, answer.text
    if route in ANTHROPIC:
        assert param is None or param in error["message"], error
        assert FILTERED_BY_MESSAGES not in error["message"], error
    else:
        assert error["param"] == param, error
        assert error["code"] != "content_filter", error
