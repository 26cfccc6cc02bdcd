"""A server's condition: up, takes the key, serves what is configured."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import pytest
from starlette.types import Receive, Scope, Send

from guard.upstream.health import Condition, examine
from tests.fakes import FakeVLLM
from tests.servers import serving

App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def examined(app: Any, *wanted: str, key: str = "") -> Condition:
    headers = {"authorization": f"Bearer {key}"}
    async with serving(app) as url, aiohttp.ClientSession(headers=headers) as session:
        return await examine(session, url, wanted, 5)


def answering(path: str, status: int, body: bytes) -> App:
    """A server that is fine but for one path."""
    vllm = FakeVLLM()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != path:
            return await vllm(scope, receive, send)
        headers = [(b"location", b"/login")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def test_a_server_that_has_it_all() -> None:
    found = await examined(FakeVLLM(api_key="k", models=["a", "b"]), "a", key="k")

    assert found == Condition(None, True, {"a": 512})
    assert found.serves


@pytest.mark.parametrize(
    ("app", "cause", "is_up"),
    [
        (FakeVLLM(healthy=False), "unhealthy", False),
        (FakeVLLM(api_key="other"), "key_refused", True),
        (FakeVLLM(models=["other"]), "no_model", True),
        (FakeVLLM(models=[]), "no_model", True),
        (answering("/health", 404, b""), "no_route", False),
        (answering("/health", 302, b""), "redirected", False),
        (answering("/v1/models", 404, b""), "no_route", True),
        (answering("/v1/models", 500, b""), "failed", True),
        (answering("/v1/models", 200, b"<html>"), "unreadable", True),
        (answering("/v1/models", 200, orjson.dumps({"data": [1]})), "unreadable", True),
        (answering("/v1/models", 200, b"[]"), "unreadable", True),
    ],
)
async def test_what_is_wrong_has_a_cause(app: App, cause: str, is_up: bool) -> None:
    found = await examined(app, "demo")

    assert (found.cause, found.is_up, found.serves) == (cause, is_up, False)


async def test_one_of_two_models_is_something() -> None:
    found = await examined(FakeVLLM(models=["a"]), "a", "b")

    assert (found.cause, found.missing, found.serves) == ("no_model", ("b",), True)


async def test_without_configured_models_any_will_do() -> None:
    assert (await examined(FakeVLLM(models=["x"]))).serves


async def test_nobody_there() -> None:
    async with aiohttp.ClientSession() as session:
        found = await examine(session, "http://127.0.0.1:9", ["demo"], 5)

    assert found == Condition("unreachable", is_up=False)
