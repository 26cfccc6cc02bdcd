"""Servers of one model: which is asked, asked again, left alone; over TLS, with our key."""

import asyncio
from pathlib import Path

import pytest
import trustme

from guard.detectors.remote.failures import RemoteError
from guard.detectors.remote.servers import Servers
from guard.settings import ListenTls, UpstreamTls
from guard.upstream.certificates import client_context
from tests.guard_models import GuardModel, section
from tests.servers import serving

DEAD = "http://127.0.0.1:1"
TOKENISE: dict[str, object] = {"prompt": "bad"}


async def causes(servers: Servers, times: int) -> list[str]:
    """Why so many questions failed, each asked after the other."""
    found: list[str] = []
    for _ in range(times):
        with pytest.raises(RemoteError) as error:
            await servers.post("/tokenize", TOKENISE)
        found.append(error.value.cause)
    return found


@pytest.mark.parametrize("dead", [DEAD, None], ids=["not there", "ill"])
async def test_another_server_is_asked(dead: str | None) -> None:
    well, ill = GuardModel(), GuardModel(status=503)
    async with serving(well) as good, serving(ill) as bad:
        servers = Servers(section(urls=[dead or bad, good], breaker_failures=2))
        for _ in range(6):
            assert await servers.post("/tokenize", TOKENISE) == {"tokens": [2]}
        await servers.disconnect()
    assert len(well.requests) == 6
    assert len(ill.requests) == (0 if dead else 2)  # then it is left alone


async def test_a_server_that_fails_is_left_alone() -> None:
    servers = Servers(section(DEAD, retries=0, breaker_failures=2, breaker_s=3600))
    assert await causes(servers, 3) == ["unreachable", "unreachable", "left_alone"]
    await servers.disconnect()


async def test_what_a_server_refuses_is_not_asked_again() -> None:
    model = GuardModel(status=400)
    async with serving(model) as url:
        servers = Servers(section(url, retries=3))
        assert await causes(servers, 1) == ["refused"]
        await servers.disconnect()
    assert len(model.requests) == 1


async def test_who_stops_waiting_says_nothing_about_the_server() -> None:
    model = GuardModel(held=True)
    async with serving(model) as url:
        servers = Servers(section(url, breaker_failures=1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(servers.post("/tokenize", TOKENISE), 0.2)
        model.held = False
        model.gate.set()
        assert await servers.post("/tokenize", TOKENISE) == {"tokens": [2]}
        await servers.disconnect()


async def test_the_key_goes_with_every_question() -> None:
    model = GuardModel()
    async with serving(model) as url:
        servers = Servers(section(url), "secret")
        await servers.post("/tokenize", TOKENISE)
        await servers.disconnect()
    assert model.headers[0]["authorization"] == "Bearer secret"


async def test_servers_prove_who_they_are(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    paths = {}
    for name, ca in (("ours", authority), ("other", stranger)):
        paths[name] = tmp_path / f"{name}.pem"
        ca.cert_pem.write_to_path(str(paths[name]))
    chain = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(chain))
    async with serving(GuardModel(), ListenTls(cert=chain)) as url:
        known, unknown = (
            Servers(section(url), None, client_context(UpstreamTls(ca=paths[name])))
            for name in ("ours", "other")
        )
        assert await known.post("/tokenize", TOKENISE) == {"tokens": [2]}
        assert await causes(unknown, 1) == ["unreachable"]
        await known.disconnect()
        await unknown.disconnect()
