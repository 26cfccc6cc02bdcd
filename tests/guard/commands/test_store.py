"""Commands `ecoguard store …`, as an operator runs them."""

import stat
from pathlib import Path
from time import time

import orjson
import pytest
import yaml
from typer.testing import CliRunner, Result

from guard.commands.main import app
from guard.settings import load
from guard.store.traffic_store import TrafficStore
from guard.terms.errors import ConfigError, GuardError
from tests.guard.store.records import audit_record, prompt_record


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "guard.yaml"
    file.write_text(yaml.safe_dump({"upstream": {"url": "http://127.0.0.1:9"}, "store": {}}))
    return file


@pytest.fixture
def filled(config: Path) -> Path:
    """A store with two clients' prompts and an audit row."""
    settings = load(config, {}).store
    assert settings is not None
    store = TrafficStore(settings)
    store.upgrade()
    store.write(store.prepare([prompt_record("a"), prompt_record("b", key="lab"), audit_record()]))
    store.close()
    return config


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["store", *arguments, "--config", str(config)])


def failure(result: Result) -> str:
    assert isinstance(result.exception, GuardError)
    return str(result.exception)


def test_upgrade_makes_the_tables(config: Path) -> None:
    result = run(config, "upgrade")

    assert result.exit_code == 0
    assert result.stdout.endswith("traffic.db: at revision 0004\n")


def test_status_counts(filled: Path) -> None:
    lines = run(filled, "status").stdout.splitlines()

    assert lines[1:] == [
        "audit rows: 1",
        "captured prompts: 2 of 2 clients, 0 encrypted",
        "from 2026-05-28 to 2026-05-28",
    ]


def test_delete_takes_one_key(filled: Path) -> None:
    result = run(filled, "delete", "--key", "shop", "--with-audit")

    assert result.stdout == "deleted from captured_prompts: 1\ndeleted from audit: 1\n"
    assert "captured prompts: 1 of 1" in run(filled, "status").stdout


def test_deleting_an_unknown_key_says_so(filled: Path) -> None:
    told = failure(run(filled, "delete", "--key", "shpo"))
    assert told.startswith(f"--key: no key 'shpo' in {filled}, and nothing of it stored")


def test_a_configured_key_of_which_there_is_nothing_is_no_fault(filled: Path) -> None:
    content = yaml.safe_load(filled.read_text())
    filled.write_text(yaml.safe_dump({**content, "keys": [{"name": "new", "sha256": "ab" * 32}]}))

    assert "captured_prompts: 0" in run(filled, "delete", "--key", "new").stdout
    assert "did you mean 'new'?" in failure(run(filled, "delete", "--key", "nwe"))


def test_export_is_one_object_a_line_for_its_owner_only(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "prompts.jsonl"

    result = run(filled, "export", "--out", str(out))

    assert result.stdout == f"{out}: 2 prompts\n"
    prompts = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [prompt["messages"][0]["content"] for prompt in sorted_by_text(prompts)] == ["a", "b"]
    assert {"messages", "client", "time"} == prompts[0].keys()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".prompts*"))


def sorted_by_text(
    prompts: list[dict[str, list[dict[str, str]]]],
) -> list[dict[str, list[dict[str, str]]]]:
    return sorted(prompts, key=lambda prompt: prompt["messages"][0]["content"])


def test_export_to_nowhere_is_explained(filled: Path, tmp_path: Path) -> None:
    assert "--out: No such file" in failure(
        run(filled, "export", "--out", str(tmp_path / "no" / "x.jsonl"))
    )


def test_purge_deletes_the_old(filled: Path) -> None:
    settings = load(filled, {}).store
    assert settings is not None
    store = TrafficStore(settings)
    store.write(store.prepare([prompt_record("new", time=time()), prompt_record("old", time=0)]))
    store.close()

    assert run(filled, "purge").exit_code == 0

    store = TrafficStore(settings)
    texts = [prompt.text for prompt in store.prompts()]
    store.close()
    assert "new" in texts
    assert "old" not in texts


def test_rotate_needs_a_key(filled: Path) -> None:
    assert "encryption_key_env: not set" in failure(run(filled, "rotate"))


def test_commands_need_a_store(tmp_path: Path) -> None:
    file = tmp_path / "guard.yaml"
    file.write_text(yaml.safe_dump({"upstream": {"url": "http://127.0.0.1:9"}}))

    result = run(file, "status")

    assert isinstance(result.exception, ConfigError)
    assert failure(result) == f"{file}: store: not configured"


def test_check_finds_what_the_store_lacks(config: Path) -> None:
    content = yaml.safe_load(config.read_text())
    content["store"] = {"capture": {"redaction_hook": "no_such:hook"}}
    config.write_text(yaml.safe_dump(content))

    result = CliRunner().invoke(app, ["check", "--config", str(config)])

    assert "redaction_hook: no function 'no_such:hook'" in failure(result)
