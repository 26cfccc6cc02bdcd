"""Command `ecoguard audit`, as an operator runs it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from guard.commands.audit import moment
from guard.commands.main import app
from guard.settings import load
from guard.store.traffic_store import TrafficStore
from guard.terms.errors import ConfigError
from tests.guard.store.records import FINDING, NOON, audit_record

NOW = datetime(2026, 5, 28, 12, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A store with a request that was blocked, one that could not be judged, one that passed."""
    file = tmp_path / "guard.yaml"
    file.write_text(yaml.safe_dump({"upstream": {"url": "http://127.0.0.1:9"}, "store": {}}))
    settings = load(file, {}).store
    assert settings is not None
    store = TrafficStore(settings)
    store.upgrade()
    failed = replace(FINDING, failure="timeout", score=None)
    passed = replace(FINDING, action=type(FINDING.action).ALLOW)
    people = replace(FINDING, subjects=("ada", "bob"), shadow=True)
    records = (
        audit_record(),
        audit_record(request_id="r2\x1b", time=NOON + 1, key="", findings=(failed,)),
        audit_record(request_id="r3", time=NOON + 2, action="allow", findings=(passed, people)),
    )
    store.write(store.prepare(records))
    store.close()
    return file


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments, "--config", str(config)])


def test_requests_are_told_with_what_fired(config: Path) -> None:
    assert run(config).stdout.splitlines() == [
        "2026-05-28 20:26:42  allow    400  shop  /v1/chat/completions  demo  250 ms  r3",
        "    stop (words in shadow, prompt): 0.9000 >= 0.5000 -> block, about ada, bob",
        "2026-05-28 20:26:41  block    400  -  /v1/chat/completions  demo  250 ms  r2?",
        "    stop (words, prompt): could not judge (timeout) -> block",
        "2026-05-28 20:26:40  block    400  shop  /v1/chat/completions  demo  250 ms  r1",
        "    stop (words, prompt): 0.9000 >= 0.5000 -> block",
    ]


def test_one_request_whole(config: Path) -> None:
    (line,) = run(config, "r1", "--json").stdout.splitlines()
    row = json.loads(line)
    assert (row["key"], row["action"], row["status"]) == ("shop", "block", 400)
    assert row["artifacts"] == {"words": "ab" * 32}


def test_what_is_asked_for_only(config: Path) -> None:
    asked = run(config, "--key", "shop", "--action", "allow", "--since", "2026-05-28")
    assert [line for line in asked.stdout.splitlines() if line.endswith("r3")]
    assert "r1" not in asked.stdout


def test_that_there_are_none_or_more_is_said_beside(config: Path) -> None:
    assert run(config, "r9").stderr == "no such requests\n"
    assert run(config, "--most", "2").stderr == "the newest 2; --most shows more\n"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90m", datetime(2026, 5, 28, 10, 30, tzinfo=UTC)),
        ("7d", datetime(2026, 5, 21, 12, tzinfo=UTC)),
        ("2026-05-28T08:00", datetime(2026, 5, 28, 8, tzinfo=UTC)),
        ("2026-05-28T10:00+02:00", datetime(2026, 5, 28, 8, tzinfo=UTC)),
        (None, None),
    ],
)
def test_times(text: str | None, time: datetime | None) -> None:
    assert moment("--since", text, NOW) == time


def test_a_time_that_is_none() -> None:
    with pytest.raises(ConfigError, match="--since: 'soon' is no time; write 2h"):
        moment("--since", "soon", NOW)
