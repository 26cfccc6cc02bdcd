"""The commands of the pages are run as they stand, as far as no cluster and no GPU is needed."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.commands.starter import starter
from tests.docs.walks import MODEL_SERVER, shell_blocks, walk
from tests.e2e.serving import served
from tests.encoders import tiny_artifact
from tests.fakes import FakeVLLM
from tests.guard.conftest import key_of
from tests.source_tree import ROOT
from tests.text_detectors import write_word_detector

DOCS = ROOT / "docs"
QUICKSTART = DOCS / "quickstart.md"
WALKED = {"quickstart.md", "operate.md"}


def asked(vllm: FakeVLLM) -> list[str]:
    """The questions that reached the model server."""
    chats = [request["messages"] for request in vllm.requests if "messages" in request]
    return [messages[-1]["content"] for messages in chats]


def test_blocks_are_read_with_their_reasons() -> None:
    page = "a\n```sh\nls\n```\n<!-- not run: why -->\n```sh\nrm\n```\n```yaml\nx: 1\n```\n"
    found = [(block.line, block.text, block.reason) for block in shell_blocks(page)]
    assert found == [(2, "ls\n", ""), (6, "rm\n", "why")]


def test_the_quickstart_from_its_first_command_to_its_last(tmp_path: Path) -> None:
    """With the detector that the page builds: in front of any vLLM it is four commands."""
    vllm = FakeVLLM(version="0.32.0")
    with served(vllm) as url:
        told = walk(QUICKSTART, tmp_path, url)

    assert asked(vllm) == ["What is a lathe?"]
    before, after = re.findall(r"^(\w+).*\n  malicious-prompts", told, re.MULTILINE)
    assert (before, after) == ("allow", "block")
    assert 'ecoguard_score_count{policy="malicious-prompts"} 1.0' in told
    assert "ready, version" in told


def test_the_readmes_commands(tmp_path: Path) -> None:
    write_word_detector(tmp_path / "artifacts" / "malicious", ["ignore"], needed=1)
    vllm = FakeVLLM()
    with served(vllm) as url:
        told = walk(ROOT / "README.md", tmp_path, url)
    assert asked(vllm) == ["Hello!"]
    assert "allow (block if policies in shadow acted)" in told


def test_a_command_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nls nowhere-at-all\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:[^$]*nowhere-at-all"):
        walk(page, tmp_path, "")


def test_the_quickstart_shows_what_init_writes() -> None:
    page = QUICKSTART.read_text(encoding="utf-8")
    written = starter(MODEL_SERVER, {"MODEL": 4096}, None, "artifacts/malicious")
    assert f"```yaml\n{written}```\n" in page


def write_operators_files(folder: Path, upstream: str) -> None:
    """What the operator's guide takes for granted: a configuration, and the files that it names."""
    write_word_detector(folder / "artifacts" / "malicious", ["ignore"], needed=1)
    encoder = read(tiny_artifact()).manifest
    width = int(str(encoder.recipe["width"]))
    for place in (folder / "requests" / "first", folder / "artifacts" / "six-people"):
        write(
            place,
            draft("forget", place.name, encoder=encoder.digest, thresholds={"score": 0.5}),
            tensors={"weight": np.zeros(width, np.float32), "bias": np.full(1, -20, np.float32)},
            files={"names.json": b'["Ilse Varnholt"]'},
        )
    for name in ("tutor", "support"):
        (folder / f"{name}.txt").write_text(f"You are a {name}.")
    (folder / "request.json").write_text('{"messages": [{"role": "user", "content": "Hello"}]}')
    settings = {
        "upstream": {"url": upstream},
        "models": {"demo": {}},
        "encoder": {"path": str(tiny_artifact())},
        "keys": [key_of("shop"), key_of("boss", "admin")],
        "detectors": {
            "malicious": {"kind": "artifact", "path": "artifacts/malicious"},
            "people": {"kind": "forget-requests", "path": "requests"},
        },
        "policies": [{"name": "stop", "detector": "malicious", "action": "block"}],
        "recognition": {"prompts": "pins.json"},
        "store": {"capture": {"enabled": True, "encryption_key_env": "ECOGUARD_STORE_KEYS"}},
    }
    (folder / "guard.yaml").write_text(yaml.safe_dump(settings))


def test_the_operators_guide(tmp_path: Path) -> None:
    keys = {
        "ECOGUARD_STORE_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
        "ECOGUARD_RECOGNITION_KEY": "s" * 32,
        "ADMIN_KEY": "boss",
        "ECOGUARD_ADMIN_KEY": "boss",
    }
    with served(FakeVLLM(models=["demo"])) as url:
        write_operators_files(tmp_path, url)
        told = walk(DOCS / "guides" / "operate.md", tmp_path, url, keys)
    assert "six-people: added" in told
    assert "policy stop: malicious -> block" in told
    assert "audit rows: 0" in told


def test_every_command_is_run_or_says_why_not() -> None:
    """The pages whose commands no test above runs: each of their blocks has a reason."""
    pages = [DOCS / "index.md", DOCS / "concepts.md", *sorted((DOCS / "guides").glob("*.md"))]
    silent = [
        f"{page.name}:{block.line}"
        for page in pages
        if page.name not in WALKED
        for block in shell_blocks(page.read_text(encoding="utf-8"))
        if not block.reason
    ]
    assert not silent


def test_reasons_name_tests_that_are_there() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "guides").glob("*.md"))
    reasons = {block.reason for block in shell_blocks(pages) if block.reason}
    named = {file for reason in reasons for file in re.findall(r"tests/[\w/]+\.py", reason)}
    assert named
    assert not [file for file in named if not (ROOT / file).is_file()]
