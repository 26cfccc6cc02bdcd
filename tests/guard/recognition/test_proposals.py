"""Prompts that many requests have had are proposed, once."""

from pathlib import Path

import pytest

from guard.recognition.proposals import Proposer, read_proposals
from guard.settings import Proposals
from guard.terms.errors import ConfigError

DIGEST, OTHER = b"\x01" * 16, b"\x02" * 16


async def test_a_key_s_requests_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "proposed.jsonl"
    proposer = Proposer(Proposals(file=file, after=3))
    for _ in range(2):
        proposer.seen("app", [(DIGEST, 40), (DIGEST, 40)])  # twice in one request counts once
        proposer.seen("other", [(DIGEST, 40), (OTHER, 9)])
    await proposer.close()
    assert list(read_proposals(file)) == []

    for _ in range(3):
        proposer.seen("app", [(DIGEST, 40)])
    await proposer.close()
    (found,) = read_proposals(file)
    assert (found.digest, found.key, found.requests) == (DIGEST.hex(), "app", 3)
    assert found.characters == 40
    assert file.stat().st_mode & 0o777 == 0o600


async def test_lines_of_several_processes_are_added_up(tmp_path: Path) -> None:
    file = tmp_path / "proposed.jsonl"
    for _ in range(2):
        proposer = Proposer(Proposals(file=file, after=1))
        proposer.seen("app", [(DIGEST, 40)])
        await proposer.close()
    (found,) = read_proposals(file)
    assert found.requests == 2


async def test_a_file_that_cannot_be_written_fails_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    proposer = Proposer(Proposals(file=tmp_path / "nowhere" / "x", after=1))
    proposer.seen("app", [(DIGEST, 40)])
    await proposer.close()
    assert "recognition.proposals.file: No such file" in caplog.text


def test_a_line_that_is_no_proposal_is_named(tmp_path: Path) -> None:
    file = tmp_path / "proposed.jsonl"
    file.write_text("{}\n")
    with pytest.raises(ConfigError, match=r"proposed\.jsonl:1: no proposal"):
        list(read_proposals(file))
    with pytest.raises(ConfigError, match="Is a directory"):
        list(read_proposals(tmp_path))
