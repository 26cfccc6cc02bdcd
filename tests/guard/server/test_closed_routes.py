"""Closed routes, with hand-made scopes: HTTP clients tidy paths up before they send them."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from guard.server.closed_routes import ClosedRoutes, DirectRoutes, RequestIds


async def reached(scope: Scope) -> list[Message]:
    """The messages sent for a scope; an inner app that is reached sends status 200."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await ClosedRoutes(app)(scope, receive, send)
    return sent


def http_scope(path: str, raw_path: bytes | None) -> Scope:
    return {"type": "http", "method": "POST", "path": path, "raw_path": raw_path, "headers": []}


@pytest.mark.parametrize(
    ("path", "raw", "status"),
    [
        ("/v1/models", b"/v1/models", 200),
        ("/v1/models", None, 200),
        ("/v1/models", b"/v1%2fmodels", 404),
        ("/v1/models", b"/v1/%6dodels", 404),
        ("//v1/models", b"//v1/models", 404),
        ("/v1//models", b"/v1//models", 404),
        ("/v1/./models", b"/v1/./models", 404),
        ("/v1/../v1/models", b"/v1/../v1/models", 404),
        ("/x/..", b"/x/..", 404),
        ("/.env", b"/.env", 404),
    ],
)
async def test_only_plain_paths_are_routed(path: str, raw: bytes | None, status: int) -> None:
    sent = await reached(http_scope(path, raw))

    assert sent[0]["status"] == status


async def test_websockets_are_closed() -> None:
    sent = await reached({"type": "websocket", "path": "/v1/realtime"})

    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [
        ([(b"x-request-id", b"mine")], [], b"mine"),
        ([(b"x-request-id", b"mine")], [(b"x-request-id", b"given")], b"given"),
        ([], [(b"x-request-id", b"given")], b"given"),
    ],
)
async def test_answers_have_one_request_id(
    asked: list[tuple[bytes, bytes]], given: list[tuple[bytes, bytes]], expected: bytes
) -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        await send({"type": "http.response.start", "status": 200, "headers": given})

    async def receive() -> Message:
        raise AssertionError("not read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {**http_scope("/v1/models", None), "headers": asked}
    await RequestIds(app)(scope, receive, send)

    assert sent[0]["headers"] == [(b"x-request-id", expected)]


@pytest.mark.parametrize(
    ("method", "path", "raw", "status"),
    [
        ("POST", "/direct", b"/direct", 204),
        ("POST", "/direct/", b"/direct/", 404),
        ("POST", "//direct", b"//direct", 404),
        ("POST", "/direct", b"/%64irect", 404),
        ("GET", "/direct", b"/direct", 404),
    ],
)
async def test_direct_routes_are_found_as_they_are_written_only(
    method: str, path: str, raw: bytes, status: int
) -> None:
    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        await send({"type": "http.response.start", "status": 204, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    app = DirectRoutes(openapi_url=None, docs_url=None, redoc_url=None)
    app.direct = {"/direct": endpoint}
    sent: list[Message] = []
    scope = {"type": "http", "method": method, "path": path, "raw_path": raw, "headers": []}
    await app({**scope, "query_string": b"", "root_path": ""}, receive, send)
    assert sent[0]["status"] == status
