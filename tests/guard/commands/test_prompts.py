"""Commands `ecoguard prompts …`, beside a proxy that reads the file with its next reload."""

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from guard.commands.main import app
from guard.recognition.pin_file import read_pins
from guard.recognition.prompts import PinnedPrompts
from guard.recognition.proposals import Proposer
from guard.settings import Proposals, load
from guard.terms.errors import GuardError

SECRET = {"ECOGUARD_RECOGNITION_KEY": "s" * 32}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    recognition = {"prompts": "pins.json", "proposals": {"file": "proposed.jsonl", "after": 2}}
    settings = {"upstream": {"url": "http://127.0.0.1:9"}, "recognition": recognition}
    (tmp_path / "guard.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "tutor.txt").write_text("You are a tutor.\n")
    return tmp_path / "guard.yaml"


def run(config: Path, *arguments: str, text: str | None = None) -> Result:
    options = ["prompts", *arguments, "--config", str(config)]
    return CliRunner(env=SECRET).invoke(app, options, input=text)


def failure(result: Result) -> str:
    assert isinstance(result.exception, GuardError)
    return str(result.exception)


async def proposed(config: Path, *texts: str) -> None:
    """As a proxy that has seen these prompts in two requests each."""
    settings = load(config).recognition.proposals
    assert settings
    proposer = Proposer(Proposals(file=settings.file, after=settings.after))
    for text in texts:
        digest = run(config, "digest", "-", text=text).stdout.strip()
        whole = bytes.fromhex(digest.ljust(32, "0"))
        for _ in range(2):
            proposer.seen("app", [(whole, len(text))])
    await proposer.close()


def test_pin_list_and_remove(config: Path) -> None:
    folder = config.parent
    said = run(config, "pin", str(folder / "tutor.txt")).stdout
    assert re.fullmatch(
        r"[0-9a-f]{12}\ttutor: pinned\n1 pinned, 0 known before; reload the proxy\n", said
    )
    assert "0 pinned, 1 known before" in run(config, "pin", str(folder / "tutor.txt")).stdout
    run(config, "pin", "-", "--name", "shop", text="You sell shoes.")
    assert [line.split("\t")[1:3] for line in run(config, "list").stdout.splitlines()] == [
        ["tutor", "file"],
        ["shop", "file"],
    ]

    assert "\ttutor: removed" in run(config, "remove", "tutor").stdout
    left = read_pins(folder / "pins.json")
    assert [one.name for one in left.pins] == ["shop"]
    assert [one.pin.name for one in left.removed] == ["tutor"]
    assert "tutor." not in (folder / "pins.json").read_text()


async def test_what_was_proposed_is_pinned_when_it_is_confirmed(config: Path) -> None:
    await proposed(config, "You are a tutor.", "You sell shoes.")
    listed = run(config, "proposed").stdout.splitlines()
    assert [line.split("\t")[1:4] for line in listed] == [["app", "2", "15"], ["app", "2", "16"]]
    assert run(config, "proposed", "--key", "other").stdout == ""
    own = run(config, "digest", str(config.parent / "tutor.txt")).stdout.strip()
    assert listed[1].startswith(own)

    assert "2 pinned" in run(config, "pin", "--from-shadow", "--key", "app").stdout
    assert run(config, "proposed").stdout == ""
    assert {one.source for one in read_pins(config.parent / "pins.json").pins} == {"shadow"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pin"], "name files, or --from-shadow"),
        (["pin", "x", "--from-shadow"], "name files, or --from-shadow"),
        (["pin", "nowhere.txt"], "nowhere.txt: No such file"),
        (["remove", "nobody"], "no prompts 'nobody'"),
        (["remove", ""], "name one"),
    ],
)
def test_what_cannot_be_done_is_said(config: Path, arguments: list[str], said: str) -> None:
    assert said in failure(run(config, *arguments))


def test_an_empty_prompt_and_bytes_are_none(config: Path) -> None:
    assert "holds no prompt" in failure(run(config, "pin", "-", text=" \n"))
    (config.parent / "bytes").write_bytes(b"\xff")
    assert "not UTF-8" in failure(run(config, "pin", str(config.parent / "bytes")))


def test_the_configuration_names_the_files(tmp_path: Path) -> None:
    config = tmp_path / "guard.yaml"
    config.write_text("upstream: {url: 'http://127.0.0.1:9'}\n")
    assert "recognition.prompts: is not set" in failure(run(config, "list"))
    config.write_text("upstream: {url: 'http://127.0.0.1:9'}\nrecognition: {prompts: pins.json}\n")
    assert "recognition.proposals: not configured" in failure(run(config, "proposed"))


def test_a_pin_is_what_the_proxy_looks_for(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(config, "pin", str(config.parent / "tutor.txt"))
    for name, value in SECRET.items():
        monkeypatch.setenv(name, value)
    pinned = PinnedPrompts.load(load(config).recognition)
    assert pinned.digest("You are a tutor.") in pinned.digests
