"""Request headers: the few that are read, and the fewer that go upstream."""

import os
import re
from collections.abc import Mapping

from starlette.types import Scope

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
REQUEST_ID_HEADERS = ("x-request-id", "x-correlation-id", "x-trace-id", "request-id")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def latin_headers(scope: Scope) -> dict[str, str]:
    """Request headers by lower-case name; a repeated one is joined with commas, as HTTP has it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def chosen_request_id(headers: Mapping[str, str]) -> str:
    """The client's request id where it is plain, else a new one."""
    for name in REQUEST_ID_HEADERS:
        if (given := headers.get(name)) and REQUEST_ID.fullmatch(given):
            return given
    return os.urandom(16).hex()


def declared_bytes(headers: Mapping[str, str]) -> int | None:
    """How long the body is said to be; None where nothing is said, as of a body in chunks."""
    declared = headers.get("content-length", "")
    return int(declared[:12]) if declared.isascii() and declared.isdigit() else None


def onward_headers(headers: Mapping[str, str], request_id: str) -> dict[str, str]:
    """The headers that go upstream: an allowlist, so no client identity and nothing hop-by-hop."""
    onward = {"x-request-id": request_id}
    traceparent = headers.get("traceparent", "")
    if TRACEPARENT.fullmatch(traceparent):
        onward["traceparent"] = traceparent
    return onward
