"""How a model server is: whether it runs, takes our key, and serves what is configured."""

from collections.abc import Collection
from typing import NamedTuple

import aiohttp
import orjson

from guard.upstream.faults import cause_of_error, cause_of_status

# All that the client library raises where a server or the way to it fails.
FAILURES = (TimeoutError, aiohttp.ClientError, OSError)


class Condition(NamedTuple):
    """What was found: `cause` is one of `faults.CAUSES`, None where all is well.

    `is_up` is whether the server said that it is ready; `models` are those that it lists, by name,
    with the longest prompt and answer together that each takes, in tokens, where it says so.
    """

    cause: str | None = None
    is_up: bool = True
    models: dict[str, int | None] = {}  # noqa: RUF012 - never changed
    missing: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Whether requests for some configured model can be answered there."""
        return self.cause is None or (self.cause == "no_model" and bool(self.models))


async def examine(
    session: aiohttp.ClientSession, url: str, wanted: Collection[str], timeout_s: float
) -> Condition:
    """The condition of the server at `url`, which should serve the models `wanted`."""
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with session.get(f"{url}/health", timeout=timeout, allow_redirects=False) as reply:
            if reply.status != 200:
                return Condition(cause_of_status(reply.status) or "no_route", is_up=False)
        async with session.get(f"{url}/v1/models", timeout=timeout, allow_redirects=False) as reply:
            if reply.status != 200:
                return Condition(cause_of_status(reply.status) or "no_route")
            models = _models(await reply.read())
    except FAILURES as error:
        return Condition(cause_of_error(error), is_up=False)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Condition("unreadable")
    served = {name: most for name, most in models.items() if name in wanted or not wanted}
    missing = tuple(sorted(set(wanted) - models.keys()))
    return Condition("no_model" if missing or not served else None, True, served, missing)


def _models(body: bytes) -> dict[str, int | None]:
    """By name, the `max_model_len` in the list of models."""
    cards = orjson.loads(body)["data"]
    return {str(card["id"]): card.get("max_model_len") for card in cards}
