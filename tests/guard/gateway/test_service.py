"""The current service: who holds one keeps it alive, whoever comes later gets the new one."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from guard.encoders.pooling_encoder import PoolingEncoder
from guard.gateway.loading import Resources
from guard.gateway.service import Current, Service
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.settings import Settings
from tests.fakes import WordDetector
from tests.pooling import PooledIds, write_pooling_artifact

SETTINGS = Settings.model_validate({"upstream": {"url": "http://127.0.0.1:9"}})
NOTHING = Resources((), None, None, {}, None)


class Watched(Service):
    """Says when it was closed."""

    def __init__(self) -> None:
        super().__init__(SETTINGS, NOTHING, Metrics())
        self.closed = asyncio.Event()

    async def close(self, within_s: float | None = None) -> None:
        await super().close(within_s)
        self.closed.set()


async def test_a_replaced_service_lives_until_its_last_request_has_ended() -> None:
    old, new = Watched(), Watched()
    current = Current(old)

    with current.use() as first, current.use():
        current.replace(new)
        assert first is old
        assert (current.alive, old.closed.is_set()) == (2, False)
        with current.use() as later:
            assert later is new

    await asyncio.wait_for(old.closed.wait(), 5)
    assert (current.alive, new.closed.is_set()) == (1, False)
    await current.close()
    assert new.closed.is_set()


class Connections(PooledIds):
    """An endpoint that says when it was let go."""

    closed = False

    def close(self) -> None:
        self.closed = True


async def test_the_encoder_s_connections_end_with_the_service(tmp_path: Path) -> None:
    connections = Connections()
    encoder = PoolingEncoder(write_pooling_artifact(tmp_path / "a"), connections)
    service = Service(SETTINGS, replace(NOTHING, encoder=encoder), Metrics())

    await service.close()

    assert connections.closed


@dataclass
class Retiring(WordDetector):
    """Says whether it was retired, and closed."""

    retired: bool = False
    closed: bool = False

    def retire(self) -> None:
        self.retired = True

    def close(self) -> None:
        self.closed = True


async def test_a_replaced_service_watches_nothing_while_its_last_request_goes_on() -> None:
    asked, unasked = Retiring("a"), Retiring("b")
    phrases = {"kind": "phrases", "phrases": ["x"]}
    rule = {"name": "p", "detector": "d", "action": "block"}
    sections = {"detectors": {"d": phrases, "e": phrases}, "policies": [rule]}
    settings = Settings.model_validate({"upstream": {"url": "http://127.0.0.1:9"}, **sections})
    policies = (Policy.build(settings.policies[0], asked),)
    resources = replace(NOTHING, policies=policies, detectors={"d": asked, "e": unasked})
    current = Current(Service(settings, resources, Metrics()))

    with current.use():
        current.replace(Watched())
        assert (asked.retired, unasked.retired) == (True, True)
        assert (asked.closed, unasked.closed) == (False, False)

    await current.close()
    assert (asked.closed, unasked.closed) == (True, True)


async def test_an_idle_service_ends_at_once() -> None:
    old = Watched()
    current = Current(old)

    current.replace(Watched())

    await asyncio.wait_for(old.closed.wait(), 5)
    await current.close()


async def test_a_request_that_fails_lets_go_too() -> None:
    old = Watched()
    current = Current(old)

    def fail() -> None:
        with current.use():
            current.replace(Watched())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    await asyncio.wait_for(old.closed.wait(), 5)
    await current.close()


async def test_the_end_closes_what_is_in_use() -> None:
    watched = Watched()
    current = Current(watched)

    with current.use():
        await current.close()

    assert watched.closed.is_set()
