"""Health, models, version, CORS."""

from typing import Any

import httpx2
import pytest

from tests.fakes import FakeVLLM, WordDetector
from tests.guard.conftest import CHAT, RigMaker, bearer, key_of
from tests.servers import serving

DEAD = "http://127.0.0.1:9"


@pytest.mark.parametrize(("healthy", "status"), [(True, 200), (False, 503)])
@pytest.mark.parametrize("path", ["/readyz", "/health"])
async def test_readiness_follows_the_model_server(
    make_rig: RigMaker, path: str, healthy: bool, status: int
) -> None:
    async with make_rig() as rig:
        rig.vllm.healthy = healthy

        assert (await rig.client.get(path)).status_code == status
        assert (await rig.client.get("/livez")).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health"])
async def test_probes_may_ask_for_the_head_only(make_rig: RigMaker, path: str) -> None:
    async with make_rig() as rig:
        response = await rig.client.head(path)

    assert (response.status_code, response.content) == (200, b"")


async def test_the_tokenizer_is_told_where_the_model_server_tells_it(make_rig: RigMaker) -> None:
    told = {"tokenizer_class": "T", "chat_template": "{{ messages }}", "name_or_path": "/secret"}
    async with make_rig(keys=[key_of("shop")]) as rig:
        missing = await rig.client.get("/tokenizer_info", headers=bearer("shop"))
        rig.vllm.tokenizer = told
        found = await rig.client.get("/tokenizer_info", headers=bearer("shop"))
        stranger = await rig.client.get("/tokenizer_info")

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_url")
    assert found.json() == {"tokenizer_class": "T", "chat_template": "{{ messages }}"}
    assert stranger.status_code == 401


async def test_the_tokenizer_of_a_dead_server_is_an_error(make_rig: RigMaker) -> None:
    async with make_rig(upstream={"url": DEAD}) as rig:
        response = await rig.client.get("/tokenizer_info")

    assert (response.status_code, response.json()["error"]["type"]) == (503, "upstream_error")


@pytest.mark.parametrize(
    ("changes", "status", "causes"),
    [
        ({}, 200, []),
        ({"api_key": "other"}, 503, ["key_refused"]),
        ({"models": ["other"]}, 503, ["no_model"]),
        ({"healthy": False}, 503, ["unhealthy"]),
    ],
)
async def test_readiness_says_why(
    make_rig: RigMaker, changes: dict[str, Any], status: int, causes: list[str]
) -> None:
    async with make_rig(models={"demo": {}}) as rig:
        for name, value in changes.items():
            setattr(rig.vllm, name, value)
        answer = await rig.client.get("/readyz")

    assert (answer.status_code, answer.json()["upstream"]) == (status, causes)
    assert answer.json()["ready"] is (status == 200)


async def test_models_are_those_that_are_configured(make_rig: RigMaker) -> None:
    async with make_rig(models={"demo": {"path": "/nowhere"}}) as rig:
        rig.vllm.models = ["demo", "adapter"]
        listed = (await rig.client.get("/v1/models")).json()

    assert [card["id"] for card in listed["data"]] == ["demo"]


async def test_models_with_servers_of_their_own_are_listed_as_those_have_them(
    make_rig: RigMaker,
) -> None:
    own = FakeVLLM(models=["big", "demo"])
    async with serving(own) as url:
        models = {"demo": {}, "big": {"upstreams": [url]}, "gone": {"upstreams": [DEAD]}}
        async with make_rig(models=models) as rig:
            listed = (await rig.client.get("/v1/models")).json()

    assert [card["id"] for card in listed["data"]] == ["demo", "big"]


async def test_models_of_a_dead_server_are_an_error(make_rig: RigMaker) -> None:
    async with make_rig(upstream={"url": "http://127.0.0.1:9"}) as rig:
        response = await rig.client.get("/v1/models")

    assert (response.status_code, response.json()["error"]["type"]) == (503, "upstream_error")


async def test_version(make_rig: RigMaker) -> None:
    async with make_rig() as rig:
        assert set((await rig.client.get("/version")).json()) == {"version"}


def preflight(client: httpx2.AsyncClient, origin: str) -> httpx2.Request:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    return client.build_request("OPTIONS", CHAT, headers=headers)


async def test_browsers_are_turned_away_by_default(make_rig: RigMaker) -> None:
    async with make_rig() as rig:
        response = await rig.client.send(preflight(rig.client, "https://app.example"))

    assert response.status_code == 405
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://app.example", True), ("https://evil.example", False)]
)
async def test_configured_origins_may_call(make_rig: RigMaker, origin: str, allowed: bool) -> None:
    cors = {"allow_origins": ["https://app.example"]}
    async with make_rig(("block", WordDetector("attack")), cors=cors) as rig:
        asked = await rig.client.send(preflight(rig.client, origin))
        rig.client.headers["origin"] = origin
        blocked = await rig.chat("attack")

    assert (asked.headers.get("access-control-allow-origin") == origin) is allowed
    assert (blocked.headers.get("access-control-allow-origin") == origin) is allowed
    assert blocked.status_code == 400
