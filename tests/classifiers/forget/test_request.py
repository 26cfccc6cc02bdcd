"""request.yaml: what is accepted, and errors that name file and key."""

from pathlib import Path

import pytest

from classifiers.forget.request import ForgetRequest, read_request, read_retain_prompts
from guard.terms.errors import ConfigError

GOOD = "name: varnholt\nreason: asked to be forgotten\ncontact: privacy@example.org\n"


def read(folder: Path, content: str) -> ForgetRequest:
    (folder / "request.yaml").write_text(content, encoding="utf-8")
    return read_request(folder)


def test_names_and_aliases_are_the_evidence(tmp_path: Path) -> None:
    request = read(tmp_path, GOOD + "names: [Ilse Varnholt]\naliases: [the Heron, Ilse Varnholt]\n")
    assert request.evidence == ("Ilse Varnholt", "the Heron")
    assert read(tmp_path, GOOD).evidence == ()


BAD = {
    "unknown key": (GOOD + "model: x\n", "request.yaml:4: model: no such key"),
    "missing key": ("name: a\nreason: b\n", "request.yaml: contact: is missing"),
    "short name": (
        GOOD + "names: [x]\n",
        "request.yaml:4: names.0: a name needs at least two letters",
    ),
    "empty reason": (GOOD + "scope: ''\n", "request.yaml:4: scope: needs 1 or more characters"),
    "repeated key": (GOOD + "name: b\n", "request.yaml:4: name: this key stands in line 1"),
    "not a mapping": ("- a\n", "request.yaml: the top level must be a mapping"),
    "not YAML": ("a: [", "request.yaml:1: not YAML"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_errors_name_file_and_key(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, content)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"request.yaml: No such file"):
        read_request(tmp_path)


def test_retain_prompts_are_the_folders_own_and_more(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("two\n")
    assert [p.text for p in read_retain_prompts(tmp_path, (tmp_path / "more.txt",))] == ["two"]
    (tmp_path / "retain.jsonl").write_text('{"text": "one"}\n')
    found = read_retain_prompts(tmp_path, (tmp_path / "more.txt",))
    assert [prompt.text for prompt in found] == ["one", "two"]
