"""A model server's errors: what the client is told, and what the operator is."""

import logging
from typing import Any

import pytest

from tests.guard.conftest import RigMaker

LOGGER = "guard.upstream.faults"
NOT_FOUND = {"message": "Not Found", "code": 404}
NO_ROUTE: tuple[dict[str, Any], ...] = ({"detail": "Not Found"}, {"error": NOT_FOUND}, {})


@pytest.mark.parametrize("answer", NO_ROUTE)
async def test_a_server_without_the_route_is_a_fault(
    make_rig: RigMaker, caplog: pytest.LogCaptureFixture, answer: dict[str, Any]
) -> None:
    async with make_rig() as rig:
        rig.vllm.status, rig.vllm.answer = 404, answer
        with caplog.at_level(logging.WARNING, LOGGER):
            answered = await rig.chat("a secret plan")

    assert (answered.status_code, answered.json()["error"]["code"]) == (502, "upstream_unavailable")
    assert "does not have the route" in caplog.text
    assert "secret" not in caplog.text


async def test_a_model_that_is_not_there_stays_the_clients_fault(make_rig: RigMaker) -> None:
    async with make_rig() as rig:
        rig.vllm.status = 404
        rig.vllm.answer = {"error": {"message": "The model `x` does not exist.", "code": 404}}
        answered = await rig.chat("hi")

    assert (answered.status_code, answered.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("answer", NO_ROUTE)
async def test_a_chat_model_gives_no_embeddings(
    make_rig: RigMaker, caplog: pytest.LogCaptureFixture, answer: dict[str, Any]
) -> None:
    async with make_rig() as rig:
        rig.vllm.status, rig.vllm.answer = 404, answer
        with caplog.at_level(logging.WARNING, LOGGER):
            asked = {"model": "demo", "input": "hi"}
            answered = await rig.client.post("/v1/embeddings", json=asked)

    error = answered.json()["error"]
    assert (answered.status_code, error["code"]) == (400, "unsupported_model")
    assert (error["message"], error["param"]) == ("The model does not give embeddings", "model")
    assert not [record for record in caplog.records if record.name == LOGGER]


@pytest.mark.parametrize(
    ("changes", "told", "cause"),
    [
        ({"api_key": "other"}, "refused EcoGuard's key", "key_refused"),
        ({"status": 302}, "answered with a redirect", "redirected"),
        ({"status": 500}, "failed inside", "failed"),
        ({"status": 503}, "says that it is not ready", "unhealthy"),
        ({"answer": []}, "sent an unreadable answer", "unreadable"),
    ],
)
async def test_the_operator_learns_the_cause(
    make_rig: RigMaker,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    told: str,
    cause: str,
) -> None:
    async with make_rig() as rig:
        for name, value in changes.items():
            setattr(rig.vllm, name, value)
        with caplog.at_level(logging.WARNING, LOGGER):
            for _ in range(3):
                assert (await rig.chat("a secret plan")).status_code in (502, 503)
        metrics = (await rig.client.get("/metrics")).text

    lines = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert len(lines) == 1
    assert told in lines[0]
    assert "secret" not in lines[0]
    series = f'ecoguard_upstream_faults_total{{cause="{cause}"'
    (counted,) = [line for line in metrics.splitlines() if line.startswith(series)]
    assert float(counted.split()[-1]) == 3


async def test_a_server_that_is_away_is_told_and_so_is_its_return(
    make_rig: RigMaker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        async with make_rig(upstream_options={"url": "http://127.0.0.1:9"}) as rig:
            await rig.chat("hi")

    assert "model server 127.0.0.1:9 cannot be reached; " in caplog.text
