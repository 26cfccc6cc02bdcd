"""Closed routes: a path is served as it is written in the table, or not at all; request ids."""

from collections.abc import Mapping
from types import MappingProxyType

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.server.headers import chosen_request_id, latin_headers
from guard.terms.errors import ClientVisibleError, RequestError
from guard.wire.envelopes import error_body
from guard.wire.json_body import serialise


class ClosedRoutes:
    """Refuses paths that another server might read in another way, and all websockets.

    `//v1`, `%2f`, dot segments and the like never reach routing, so a path cannot mean one thing
    to the guard and another to what stands before or behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on plain HTTP requests; answer others."""
        if scope["type"] == "websocket":
            await _close_websocket(receive, send)
        elif scope["type"] == "http" and not _is_plain(scope):
            await not_found()(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class DirectRoutes(FastAPI):
    """FastAPI whose `direct` endpoints are asked without its middleware and its search for routes.

    They answer every error themselves, and give every answer its request id. A path leads there
    only as it is written in the table, like all others.
    """

    direct: Mapping[str, ASGIApp] = MappingProxyType({})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and _is_plain(scope):
            endpoint = self.direct.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


class RequestIds:
    """Gives every answer that has none a request id: the client's own, or a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; complete the headers of answers."""

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if not any(name == b"x-request-id" for name, _ in headers):
                    chosen = chosen_request_id(latin_headers(scope))
                    message["headers"] = [*headers, (b"x-request-id", chosen.encode())]
            await send(message)

        await self._app(scope, receive, send_named if scope["type"] == "http" else send)


def _is_plain(scope: Scope) -> bool:
    path: str = scope["path"]
    raw = scope.get("raw_path") or path.encode()
    return bytes(raw) == path.encode() and "//" not in path and "/." not in path


async def _close_websocket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})


def not_found() -> Response:
    """404 in OpenAI's form."""
    return error_response(
        RequestError("Unknown request URL", status=404, code="unknown_url"), status=404
    )


def error_response(error: ClientVisibleError, status: int) -> Response:
    """An error in OpenAI's form as a response."""
    return Response(
        serialise(error_body(error)),
        status_code=status,
        media_type="application/json",
        headers=error.headers,
    )


async def answer_http_error(_request: Request, error: Exception) -> Response:
    """Routing's own 404 and 405 in OpenAI's form."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        refused = RequestError(
            "Method not allowed for this URL",
            status=405,
            code="method_not_allowed",
            headers=dict(error.headers or {}),
        )
        return error_response(refused, status=405)
    return not_found()
