"""The commands of the pages are run as they stand, as far as no cluster and no GPU is needed."""

import re
from pathlib import Path

import pytest

from guard.commands.starter import starter
from tests.docs.walks import MODEL_SERVER, shell_blocks, walk
from tests.e2e.serving import served
from tests.fakes import FakeVLLM
from tests.source_tree import ROOT
from tests.text_detectors import write_word_detector

DOCS = ROOT / "docs"
QUICKSTART = DOCS / "quickstart.md"


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
