"""`ecoguard-train attack` on a proxy that knows a few words, in front of a scripted vLLM."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from guard.server.app import create_app
from guard.settings import Settings
from tests.classifiers.commands.command_line import run
from tests.e2e.serving import served
from tests.fakes import FakeVLLM, chat_answer
from tests.guard.conftest import key_of

# Words that the generators' requests for a system prompt have, and a name.
PHRASES = ["guideline text into a table", "my maker and read", "Ada Quill"]


@contextmanager
def proxy(phrases: list[str] = PHRASES, **sections: Any) -> Iterator[str]:
    """A running proxy that blocks these phrases."""
    with served(FakeVLLM(answer=chat_answer("She was born in Turin."))) as upstream:
        settings = Settings.model_validate(
            {
                "upstream": {"url": upstream},
                "detectors": {"phrases": {"kind": "phrases", "phrases": phrases}},
                "policies": [{"name": "stop", "detector": "phrases", "action": "block"}],
                **sections,
            }
        )
        with served(create_app(settings)) as url:
            yield url


def attacked(url: str, folder: Path, *options: object) -> tuple[int, dict[str, Any]]:
    """The exit status, and the report's families by name."""
    file = folder / "report.json"
    sizes = ("--count", 4, "--disguised", 1)
    status = run("attack", "--url", url, "--report", file, *sizes, *options)
    return status, json.loads(file.read_bytes())


def by_name(report: dict[str, Any]) -> dict[str, Any]:
    return {family["family"]: family for family in report["families"]}


def test_what_gets_through_is_told_by_family(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with proxy() as url:
        status, report = attacked(url, tmp_path, "--fail-over", 0.5)
    families = by_name(report)
    assert status == 1
    assert families["requests"]["through"] > 0
    assert families["extraction"]["outcomes"]["stopped"] > 0
    assert families["padding"]["through"] == families["protocol"]["through"] == 0
    assert families["disguises"]["attacks"] > 40
    told = capsys.readouterr().out
    assert report["verdict"] in told
    assert "Plain prompts got through: is the policy in shadow?" in told
    page = (tmp_path / "report.html").read_text()
    assert report["verdict"] in page
    assert "unicode: zero-width space" in page


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    with proxy() as url:
        status, report = attacked(url, tmp_path, "--family", "extraction", "--family", "split")
    assert status == 0
    assert set(by_name(report)) == {"extraction", "split"}


def test_forgotten_names_by_what_answers_tell(tmp_path: Path) -> None:
    names = ("--forget", "Ada Quill", "--forget", "Bo Reed", "--fact", "Turin")
    with proxy() as url:
        _, report = attacked(url, tmp_path, "--family", "extraction", *names)
    kinds = by_name(report)["forget"]["kinds"]
    assert kinds["plain"] == [4, 8]  # of the name that the proxy does not know
    assert kinds["small letters"] == [1, 2]


def test_the_check_route_is_asked_in_place_of_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTACK_KEY", "tool")
    keys = [key_of("tool", "check", "inference")]
    options = ("--check", "--key-env", "ATTACK_KEY", "--forget", "Ada Quill")
    with proxy(keys=keys, check={"enabled": True}) as url:
        _, report = attacked(url, tmp_path, "--family", "extraction", *options)
    assert by_name(report)["forget"]["kinds"]["plain"] == [0, 4]


def test_where_nothing_is_stopped_nothing_is_disguised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with proxy(["nobody says this"]) as url:
        _, report = attacked(url, tmp_path)
    assert set(by_name(report)) == {"requests", "jailbreaks", "injections", "extraction"}
    assert "there was nothing to disguise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--family", "luck"), "--family luck: expected one of requests, jailbreaks"),
        (("--forget", "Ada"), "--forget: give --check, or with --fact"),
        (("--key-env", "NOT_SET_HERE"), "NOT_SET_HERE is not set"),
        (("--url", "http://127.0.0.1:9"), "no answer"),
    ],
)
def test_mistakes_are_one_sentence(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("attack", *options) == 2
    assert said in capsys.readouterr().err


def test_a_proxy_that_wants_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    with proxy(keys=[key_of("app")]) as url:
        assert run("attack", "--url", url) == 2
    assert "--key-env: the proxy wants an API key" in capsys.readouterr().err


def test_a_model_that_is_not_served(capsys: pytest.CaptureFixture[str]) -> None:
    with proxy() as url:
        assert run("attack", "--url", url, "--model", "other") == 2
    assert "--model: the proxy serves demo" in capsys.readouterr().err
