"""TLS and mutual TLS on both sides, with an authority made for the test."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
import uvicorn

from guard.observability.metrics import Metrics
from guard.settings import ListenTls, Upstream, UpstreamTls
from guard.terms.errors import ConfigError, UpstreamError
from guard.upstream.certificates import client_context, server_context, server_contexts
from guard.upstream.client import Upstream as UpstreamClient
from tests.fakes import FakeVLLM
from tests.servers import serving


class Authority:
    """An authority, and files of certificates by it."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.ca)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key for a host name or address."""
        issued = self._authority.issue_cert(name)
        cert, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return cert, key


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("theirs"))


def listening(authority: Authority, **more: Any) -> ListenTls:
    cert, key = authority.issue("127.0.0.1")
    return ListenTls(cert=cert, key=key, **more)


@asynccontextmanager
async def upstream_to(url: str, tls: UpstreamTls) -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient(Upstream(url=url), None, Metrics(), tls=client_context(tls))
    try:
        yield client
    finally:
        await client.close()


async def reached(url: str, tls: UpstreamTls) -> bool:
    async with upstream_to(url, tls) as client:
        try:
            async with client.send("GET", "/v1/models") as reply:
                return reply.status == 200
        except UpstreamError:
            return False


async def test_a_server_of_the_right_authority_is_trusted_and_no_other(
    ours: Authority, theirs: Authority
) -> None:
    async with serving(FakeVLLM(), tls=listening(ours)) as url:
        assert url.startswith("https://")
        assert await reached(url, UpstreamTls(ca=ours.ca))
        assert not await reached(url, UpstreamTls(ca=theirs.ca))
        assert not await reached(url, UpstreamTls())


async def test_a_server_that_wants_to_know_its_clients_gets_our_certificate(
    ours: Authority, theirs: Authority
) -> None:
    mine, foreign = ours.issue("guard"), theirs.issue("guard")
    async with serving(FakeVLLM(), tls=listening(ours, client_ca=ours.ca)) as url:
        assert await reached(url, UpstreamTls(ca=ours.ca, cert=mine[0], key=mine[1]))
        assert not await reached(url, UpstreamTls(ca=ours.ca, cert=foreign[0], key=foreign[1]))
        assert not await reached(url, UpstreamTls(ca=ours.ca))


async def test_our_own_port_serves_only_clients_of_the_authority(
    ours: Authority, theirs: Authority
) -> None:
    async with serving(FakeVLLM(), tls=listening(ours, client_ca=ours.ca)) as url:
        for authority, served in ((ours, True), (theirs, False)):
            context = ssl.create_default_context(cafile=str(ours.ca))
            context.load_cert_chain(*authority.issue("client"))
            assert await answers(url, context) is served


async def answers(url: str, context: ssl.SSLContext) -> bool:
    async with httpx2.AsyncClient(verify=context) as client:
        try:
            return (await client.get(f"{url}/v1/models")).status_code == 200
        except httpx2.TransportError:
            return False


def test_the_server_takes_contexts_as_it_asks_for_them(ours: Authority) -> None:
    contexts = server_contexts(listening(ours))
    config = uvicorn.Config(FakeVLLM(), ssl_context_factory=contexts)
    config.load()

    assert isinstance(config.ssl, ssl.SSLContext)
    assert config.ssl.minimum_version is ssl.TLSVersion.TLSv1_2
    assert server_contexts(None) is None


def test_files_that_cannot_be_used_are_named(ours: Authority, tmp_path: Path) -> None:
    cert, key = ours.issue("127.0.0.1")
    gone, rubbish = tmp_path / "gone.pem", tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")

    with pytest.raises(ConfigError, match=r"listen\.tls\.cert: .*gone\.pem: No such file"):
        server_context(ListenTls(cert=gone, key=key))
    with pytest.raises(ConfigError, match=r"listen\.tls\.client_ca: .*rubbish\.pem"):
        server_context(ListenTls(cert=cert, key=key, client_ca=rubbish))
    with pytest.raises(ConfigError, match=r"upstream\.tls\.ca: .*gone\.pem"):
        client_context(UpstreamTls(ca=gone))
    with pytest.raises(ConfigError, match=r"upstream\.tls\.cert: .*rubbish\.pem"):
        client_context(UpstreamTls(cert=rubbish, key=key))


async def shown(url: str, authority: Authority) -> bytes:
    """The certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=str(authority.ca))
    host, _, port = url.removeprefix("https://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    assert isinstance(found, bytes)
    return found


async def test_a_renewed_certificate_needs_no_restart(ours: Authority) -> None:
    tls = listening(ours)
    async with serving(FakeVLLM(), tls=tls) as url:
        first = await shown(url, ours)
        ours.issue("127.0.0.1")  # over the same files
        assert await shown(url, ours) == first, "the handshake that finds the change"
        second = await shown(url, ours)
        assert second != first
        tls.cert.write_text("rubbish")
        assert {await shown(url, ours) for _ in range(3)} == {second}


async def test_a_port_over_tls_does_not_speak_plain_http(ours: Authority) -> None:
    async with serving(FakeVLLM(), tls=listening(ours)) as url:
        assert not await reached(url.replace("https", "http"), UpstreamTls())
