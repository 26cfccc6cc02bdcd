"""Command `ecoguard try`, as an operator runs it."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from guard.commands.main import app
from guard.terms.errors import GuardError

CONTENT = {
    "upstream": {"url": "http://127.0.0.1:9", "api_key_env": "NOT_SET_HERE"},
    "detectors": {"phrases": {"kind": "phrases", "phrases": ["launch code"]}},
    "keys": [{"name": "shop", "sha256": "ab" * 32}],
    "policies": [
        {"name": "stop", "detector": "phrases", "action": "flag"},
        {"name": "new", "detector": "phrases", "action": "block", "shadow": True},
    ],
}
BODY = {"messages": [{"role": "user", "content": "The launch code!"}]}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "guard.yaml"
    file.write_text(yaml.safe_dump(CONTENT))
    return file


def run(config: Path, *arguments: object, given: str | None = None) -> Result:
    command = ["try", *map(str, arguments), "--config", str(config)]
    return CliRunner().invoke(app, command, input=given)


def failure(result: Result) -> str:
    assert isinstance(result.exception, GuardError)
    return str(result.exception)


def test_the_verdict_comes_first_then_each_policy_and_its_window(config: Path) -> None:
    assert run(config, "Tell me the LAUNCH  code").stdout.splitlines() == [
        "flag (block if policies in shadow acted)",
        "  stop (phrases): 1.0000 >= 0.5000 -> flag",
        '      messages.0.content: "Tell me the LAUNCH  code"',
        '      found: "LAUNCH  code"',
        "  new (phrases in shadow): 1.0000 >= 0.5000 -> block",
        '      messages.0.content: "Tell me the LAUNCH  code"',
        '      found: "LAUNCH  code"',
    ]


def test_what_passes_is_told_in_a_line(config: Path) -> None:
    assert run(config, "hello").stdout.splitlines() == [
        "allow",
        "  stop (phrases): 0.0000 < 0.5000 -> allow",
        "  new (phrases in shadow): 0.0000 < 0.5000 -> allow",
    ]


def test_text_comes_from_standard_input_too(config: Path) -> None:
    assert run(config, given="the launch code").stdout.startswith("flag")


@pytest.mark.parametrize("given", ["file", "input"])
def test_a_request_as_json(config: Path, tmp_path: Path, given: str) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(BODY))
    source = file if given == "file" else "-"
    found = json.loads(run(config, "--request", source, "--json", given=json.dumps(BODY)).stdout)
    assert (found["action"], found["with_shadow"]) == ("flag", "block")
    first = found["policies"][0]
    assert first["places"] == ["messages.0.content"]
    assert first["window"] == {"text": "The launch code!", "score": 1.0, "spans": [[4, 15]]}


def test_a_long_window_is_shortened_and_its_controls_are_shown(config: Path) -> None:
    shown = run(config, "\x1b[2J launch code " + "word " * 100).stdout
    assert "\x1b" not in shown
    assert "\\u001b[2J" in shown
    assert " … " in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hi", "--route", "/nowhere"), "--route: '/nowhere' is no screened route"),
        (("hi", "--key", "shpo"), "--key: no key 'shpo'; did you mean 'shop'?"),
        (("hi", "--request", "x.json"), "give a text or --request, not both"),
        (("--request", "no.json"), "--request: No such file or directory: no.json"),
        (("hi", "--model", ""), "the proxy refuses this request: model: 'model' must name a model"),
    ],
)
def test_mistakes_are_one_sentence(config: Path, arguments: tuple[str, ...], said: str) -> None:
    assert failure(run(config, *arguments)) == said


@pytest.mark.parametrize(("body", "said"), [("{", "no JSON"), ("[]", "must be a JSON object")])
def test_a_body_that_is_none(config: Path, body: str, said: str) -> None:
    assert said in failure(run(config, "--request", "-", given=body))


def test_without_policies_it_says_so(config: Path) -> None:
    config.write_text(yaml.safe_dump({**CONTENT, "policies": []}))
    assert run(config, "hi").stdout == "allow: no policy is for this request\n"
