"""What a vLLM server is: its models, their context, its version, what it can read."""

import asyncio
from dataclasses import dataclass

import aiohttp

from guard.settings import Upstream
from guard.terms.errors import ConfigError
from guard.upstream.connection import open_session
from guard.upstream.faults import CAUSES
from guard.upstream.health import FAILURES, examine
from guard.upstream.server_version import Version, read_version

TIMEOUT_S = 10.0
NO_EMBEDDINGS = b"AA=="
"""No tensor, so that a server that reads embeddings refuses it at once."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """A server that answers: `models` by name, with the longest prompt and answer together in
    tokens where it says so; `reads_embeddings` is None where that could not be told."""

    models: dict[str, int | None]
    version: Version | None
    reads_embeddings: bool | None


def discover(url: str, api_key: str | None) -> Discovered:
    """Ask the server at `url`, outside an event loop; ConfigError says what is wrong with it."""
    return asyncio.run(_discover(url, api_key))


async def _discover(url: str, api_key: str | None) -> Discovered:
    async with open_session(Upstream(url=url), api_key, None) as session:
        condition = await examine(session, url, (), TIMEOUT_S)
        if condition.cause:
            said, advice = CAUSES[condition.cause]
            raise ConfigError(f"{url}: {said}; {advice}")
        status, body = await _asked(session, "GET", f"{url}/version")
        version = read_version(body) if status == 200 else None
        first = next(iter(condition.models))
        reads = await _reads_embeddings(session, url, first)
    return Discovered(condition.models, version, reads)


async def _reads_embeddings(session: aiohttp.ClientSession, url: str, model: str) -> bool | None:
    """By how the server refuses what is no embedding; nothing is generated."""
    body = {"model": model, "max_tokens": 1, "prompt_embeds": NO_EMBEDDINGS.decode()}
    status, answer = await _asked(session, "POST", f"{url}/v1/completions", body)
    if b"enable-prompt-embeds" in answer or b"enable_prompt_embeds" in answer:
        return False
    return True if status in (400, 422, 500) else None


async def _asked(
    session: aiohttp.ClientSession, method: str, url: str, body: object = None
) -> tuple[int, bytes]:
    """Status and body; status 0 where nothing came."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with session.request(
            method, url, json=body, timeout=timeout, allow_redirects=False
        ) as reply:
            return reply.status, await reply.read()
    except FAILURES:
        return 0, b""
