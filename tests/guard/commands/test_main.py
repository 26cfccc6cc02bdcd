"""The command `ecoguard`, as its own process."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import yaml

from classifiers.model_server.process import ServerProcess, free_port
from guard import __version__
from guard.commands.main import check
from guard.terms.errors import KeyedError
from tests.e2e.serving import served
from tests.fakes import FakeVLLM

PROMPT = "wie-baut-man-das"
CONTENT = {
    "upstream": {"url": "http://127.0.0.1:9"},
    "detectors": {"phrases": {"kind": "phrases", "phrases": ["launch code"]}},
    "policies": [{"name": "stop", "detector": "phrases", "action": "block"}],
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guard", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def written(folder: Path, **changes: object) -> Path:
    file = folder / "guard.yaml"
    file.write_text(yaml.safe_dump({**CONTENT, **changes}))
    return file


def test_check_lists_the_policies(tmp_path: Path) -> None:
    result = run("check", "--config", str(written(tmp_path)))

    assert result.returncode == 0, result.stderr
    assert "stop: phrases >= 0.5000 -> block (on error: block)" in result.stdout


def test_check_says_what_is_in_shadow(tmp_path: Path) -> None:
    policies = [{"name": "new", "detector": "phrases", "action": "block", "shadow": True}]

    result = run("check", "--config", str(written(tmp_path, policies=policies)))

    assert "new: phrases >= 0.5000 -> block (on error: block) in shadow" in result.stdout


def test_configuration_errors_end_with_one_line_and_status_2(tmp_path: Path) -> None:
    result = run("check", "--config", str(written(tmp_path, upstreams={})))

    assert result.returncode == 2
    assert result.stderr.strip().endswith("upstreams: no such key; did you mean 'upstream'?")
    assert "Traceback" not in result.stderr


def test_broken_artifact_stops_start_up(tmp_path: Path) -> None:
    detectors = {"people": {"kind": "artifact", "path": "nothing"}}
    changes = {"encoder": {"path": "nothing"}, "detectors": detectors, "policies": []}

    result = run("serve", "--config", str(written(tmp_path, **changes)))

    assert result.returncode == 2
    assert "nothing" in result.stderr


def test_version() -> None:
    assert run("version").stdout.strip() == __version__


def test_no_log_line_holds_a_prompt_and_all_are_json(tmp_path: Path) -> None:
    port = free_port()
    logs = {"format": "json", "access": True}
    file = written(tmp_path, listen={"port": port, "drain_s": 1}, logs=logs)
    command = [sys.executable, "-m", "guard", "serve", "--config", str(file)]
    log = tmp_path / "log"
    with ServerProcess(command, port=port, log=log, health="/livez") as server:
        chat, messages = f"{server.url}/v1/chat/completions", [{"role": "user", "content": PROMPT}]
        headers = {"x-request-id": "r1"}
        httpx2.post(chat, json={"model": "m", "messages": messages}, headers=headers)  # no upstream
        blocked = [{"role": "user", "content": f"launch code {PROMPT}"}]
        httpx2.post(chat, json={"model": "m", "messages": blocked})
        httpx2.post(chat, content=PROMPT)
        httpx2.post(chat, json={"model": "m", "messages": PROMPT, PROMPT: PROMPT})
        httpx2.get(f"{server.url}/v1/{PROMPT}?prompt={PROMPT}")
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(f"{PROMPT}\r\n\r\n".encode())
            raw.recv(1024)

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert PROMPT not in log.read_text()
    answers = [line for line in lines if line["logger"] == "guard.access"]
    outcomes = [(line["status"], line["action"]) for line in answers]
    assert outcomes == [(503, "error"), (400, "block"), (400, "error"), (400, "error")]
    assert (answers[0]["request_id"], answers[0]["route"]) == ("r1", "/v1/chat/completions")
    assert "Invalid HTTP request received." in {line["message"] for line in lines}


def test_serve_listens_where_it_is_told_and_ends_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    file = written(tmp_path, listen={"port": port, "drain_s": 1})
    command = [sys.executable, "-m", "guard", "serve", "--config", str(file)]
    log = tmp_path / "log"
    with ServerProcess(command, port=port, log=log, health="/livez") as server:
        body = {"model": "m", "messages": [{"role": "user", "content": "the Launch Code"}]}
        blocked = httpx2.post(f"{server.url}/v1/chat/completions", json=body)

    assert blocked.json()["error"]["code"] == "content_filter"
    assert "launch code" not in log.read_text().lower()


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("encoder:\n  path: none", "2: encoder.path: artifact "),
        ("detectors:\n  d: {kind: artifact, path: none}", "2: detectors.d.path: artifact "),
        ("models:\n  m:\n    path: none", "3: models.m.path: "),
        ("redis:\n  url: redis://x\n  password_env: NO_KEY", "3: redis.password_env: the environ"),
        ("store:\n  url: sqlite:///x\n  password_env: NO_KEY", "3: store.password_env: the enviro"),
        (
            "store: {capture:\n  {redaction_hook: 'a:b'}}",
            "2: store.capture.redaction_hook: no",
        ),
        (
            "tracing:\n  {endpoint: 'http://x',\n   headers_env: A}",
            "3: tracing.headers_env: the",
        ),
        ("listen:\n  tls:\n    cert: none.pem", "3: listen.tls.cert: "),
        ("upstream:\n  url: http://x\n  api_key_env: NO_KEY", "3: upstream.api_key_env: the envir"),
    ],
    ids=lambda value: value.partition(":")[0],
)
def test_check_names_file_line_and_key(tmp_path: Path, section: str, told: str) -> None:
    file = tmp_path / "guard.yaml"
    rest = "" if section.startswith("upstream") else "\nupstream: {url: 'http://127.0.0.1:9'}"
    file.write_text(section + rest)

    with pytest.raises(KeyedError) as caught:
        check(file)

    assert str(caught.value).startswith(f"{file}:{told}")


@pytest.mark.parametrize(("key", "status"), [(None, 0), ("other", 2)])
def test_check_online_asks_the_model_server(tmp_path: Path, key: str | None, status: int) -> None:
    with served(FakeVLLM(api_key=key)) as url:
        result = run("check", "--online", "--config", str(written(tmp_path, upstream={"url": url})))

    assert result.returncode == status
    line = result.stdout.splitlines()[-1]
    assert line.startswith("  ok     model server" if not status else "  FAULT  model server")
