"""Versions of a detector put in service by command and by the admin API, and back."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from typer.testing import CliRunner

from guard.artifacts.folder import read_digest
from guard.artifacts.versions import Pointer, read_pointer, write_pointer
from guard.commands.main import app
from guard.gateway.promotion import RECORD, Approval, promote, roll_back
from guard.gateway.reload import read
from guard.server.app import create_app
from guard.settings import load
from guard.terms.errors import ConfigError
from tests.fakes import FakeVLLM
from tests.guard.conftest import CHAT, bearer, key_of
from tests.servers import serving
from tests.text_detectors import write_word_detector

OPS = bearer("ops")
ADMIN = "/v1/guard/admin"
PROMOTE = f"{ADMIN}/artifacts/words/promote"
TRIED = Approval(reason="tried")


@pytest.fixture
def versioned(tmp_path: Path) -> Path:
    """Version v1 looks for "first", v2 for "second"; v1 is in service."""
    folder = tmp_path / "words"
    write_word_detector(folder / "v1", ["first"], needed=1)
    write_word_detector(folder / "v2", ["second"], needed=1)
    write_pointer(folder, Pointer("v1"))
    return folder


def configuration(folder: Path, upstream: str = "http://127.0.0.1:9", **detector: Any) -> Path:
    content = {
        "upstream": {"url": upstream},
        "detectors": {"words": {"kind": "artifact", "path": "words", **detector}},
        "policies": [{"name": "stop", "detector": "words", "action": "block"}],
        "keys": [key_of("ops", "inference", "admin")],
    }
    file = folder / "guard.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def test_promotion_is_of_a_version_or_of_the_canary(versioned: Path) -> None:
    settings = load(configuration(versioned.parent, canary={"path": "words/v2", "share": 0.1}), {})

    change = promote(settings, "words", approval=TRIED)
    assert (change.before, change.now) == (Pointer("v1"), Pointer("v2", "v1"))
    change.undo()
    assert read_pointer(versioned) == Pointer("v1")
    assert promote(settings, "words", "v2", TRIED).now == roll_back_of(settings)


def roll_back_of(settings: Any) -> Pointer:
    roll_back(settings, "words")
    return roll_back(settings, "words").now


def test_a_first_promotion_makes_a_pointer_and_is_undone_too(versioned: Path) -> None:
    (versioned / "current.json").unlink()
    settings = load(configuration(versioned.parent), {})

    change = promote(settings, "words", "v1", TRIED)

    assert read_pointer(versioned) == Pointer("v1")
    change.undo()
    assert not (versioned / "current.json").exists()


def test_an_altered_version_is_not_promoted(versioned: Path) -> None:
    settings = load(configuration(versioned.parent), {})
    (versioned / "v2" / "README.md").write_text("altered")

    with pytest.raises(Exception, match="README"):
        promote(settings, "words", "v2", TRIED)
    assert read_pointer(versioned) == Pointer("v1")


def test_what_has_no_versions_is_named(versioned: Path) -> None:
    settings = load(configuration(versioned.parent, path="words/v1"), {})

    with pytest.raises(ConfigError, match=r"detectors\.words\.path"):
        roll_back(settings, "words")
    with pytest.raises(ConfigError, match=r"detectors\.words\.canary"):
        promote(settings, "words", approval=TRIED)
    with pytest.raises(ConfigError, match=r"detectors\.nobody"):
        promote(settings, "nobody", "v1")


def test_a_promotion_takes_the_gates_report_of_that_very_version(versioned: Path) -> None:
    settings = load(configuration(versioned.parent), {})
    passed = {"passed": True, "candidate": read_digest(versioned / "v2")}

    for approval, told in (
        (None, "--gate-report FILE"),
        (Approval(reason="  "), "--gate-report FILE"),
        (Approval({**passed, "passed": False}), "the gate refused this version"),
        (Approval({**passed, "candidate": read_digest(versioned / "v1")}), "of another artifact"),
        (Approval({"passed": True}), "of another artifact"),
    ):
        with pytest.raises(ConfigError, match=told):
            promote(settings, "words", "v2", approval)
    assert read_pointer(versioned) == Pointer("v1")

    assert promote(settings, "words", "v2", Approval(passed)).now == Pointer("v2", "v1")


def test_the_gate_of_its_training_speaks_for_a_version(versioned: Path) -> None:
    write_word_detector(versioned / "v3", ["third"], needed=1, report={"gate": {"passed": True}})
    settings = load(configuration(versioned.parent), {})

    assert promote(settings, "words", "v3").now == Pointer("v3", "v1")


def test_what_spoke_for_a_promotion_is_on_record(
    versioned: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load(configuration(versioned.parent), {})

    with caplog.at_level(logging.INFO):
        promote(settings, "words", "v2", Approval(reason="the old one leaks"))
        promote(settings, "words", "v2", Approval(reason="again"))  # changes nothing

    (line,) = (versioned / RECORD).read_text().splitlines()
    recorded = json.loads(line)
    assert recorded["approval"] == "without a gate: the old one leaks"
    assert (recorded["version"], recorded["digest"]) == ("v2", read_digest(versioned / "v2"))
    assert "detector words: v2 promoted, without a gate: the old one leaks" in caplog.text


@pytest.mark.parametrize("content", [b"[", b"[]", None])
def test_a_report_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "gate.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigError, match=r"report is no JSON|gate\.json: No such file"):
        Approval.read(file, None)


def test_commands(versioned: Path) -> None:
    file = configuration(versioned.parent, canary={"path": "words/v2", "share": 0.5})

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["artifacts", *arguments, "--config", str(file)])
        assert result.exit_code == 0, result.output
        return result.output

    listed = run("list").splitlines()
    assert listed[1].startswith("  v1: malicious-text of ")
    assert listed[1].endswith(", in service")
    assert listed[2].endswith(", canary")

    assert "words: v2 is in service, before it was v1" in run(
        "promote", "words", "--without-gate", "tried"
    )
    assert "v2 is in service already" in run("promote", "words", "v2", "--without-gate", "tried")
    assert run("list").splitlines()[1].endswith(", previous")
    assert "words: v1 is in service, before it was v2" in run("rollback", "words")
    (versioned / "v2" / "README.md").write_text("altered")
    assert "broken" in run("list")


@asynccontextmanager
async def proxy(versioned: Path, **detector: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(FakeVLLM()) as upstream:
        file = configuration(versioned.parent, upstream, **detector)
        async with (
            serving(create_app(*read(file), source=file)) as url,
            httpx2.AsyncClient(base_url=url, timeout=10, headers=OPS) as client,
        ):
            yield client


async def blocked(client: httpx2.AsyncClient, text: str) -> bool:
    body = {"model": "demo", "messages": [{"role": "user", "content": text}]}
    return (await client.post(CHAT, json=body)).status_code == 400


async def test_the_admin_api_promotes_and_rolls_back(versioned: Path) -> None:
    async with proxy(versioned) as client:
        assert await blocked(client, "first")
        promoted = await client.post(f"{PROMOTE}?version=v2&without_gate=tried")
        assert promoted.status_code == 200
        assert await blocked(client, "second")
        assert not await blocked(client, "first")
        assert (await client.post(f"{ADMIN}/artifacts/words/rollback")).status_code == 200
        assert await blocked(client, "first")


async def test_the_admin_api_takes_the_report_as_its_body(versioned: Path) -> None:
    passed = {"passed": True, "candidate": read_digest(versioned / "v2")}
    async with proxy(versioned) as client:
        bare = await client.post(f"{PROMOTE}?version=v2")
        wrong = await client.post(f"{PROMOTE}?version=v2", json={**passed, "passed": False})
        right = await client.post(f"{PROMOTE}?version=v2", json=passed)

    assert [answer.status_code for answer in (bare, wrong, right)] == [409, 409, 200]
    assert "--without-gate REASON" in bare.json()["error"]["message"]


async def test_a_version_that_cannot_be_served_is_refused_and_the_pointer_put_back(
    versioned: Path,
) -> None:
    async with proxy(versioned) as client:
        file = versioned.parent / "guard.yaml"
        file.write_text(file.read_text() + "surprise: 1\n")
        refused = await client.post(f"{PROMOTE}?version=v2&without_gate=tried")
        unknown = await client.post(f"{PROMOTE}?version=v9&without_gate=tried")
        still = await blocked(client, "first")

    assert (refused.status_code, unknown.status_code, still) == (409, 409, True)
    assert "surprise" in refused.json()["error"]["message"]
    assert "no version 'v9'" in unknown.json()["error"]["message"]
    assert read_pointer(versioned) == Pointer("v1")


async def test_a_canary_acts_for_its_keys_and_both_are_in_the_status(versioned: Path) -> None:
    async with proxy(versioned, canary={"path": "words/v2", "share": 1}) as client:
        assert await blocked(client, "second")
        assert not await blocked(client, "first")
        status = (await client.get(f"{ADMIN}/status")).json()
        metrics = (await client.get("/metrics")).text

    assert set(status["artifacts"]) == {"words", "words@canary"}
    assert 'ecoguard_canary_agreement_total{fired="only_old",policy="stop"} 1.0' in metrics
