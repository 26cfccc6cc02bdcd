"""Command `ecoguard init`, in front of a scripted vLLM."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from guard.commands.main import app
from guard.commands.setup import build
from guard.settings import load
from guard.terms.errors import ConfigError, GuardError
from tests.e2e.serving import served
from tests.fakes import FakeVLLM
from tests.text_detectors import write_word_detector


def run(folder: Path, *arguments: str, given: str | None = None) -> Result:
    command = ["init", *arguments, "--config", str(folder / "guard.yaml")]
    return CliRunner().invoke(app, command, input=given)


def failure(result: Result) -> str:
    assert isinstance(result.exception, GuardError)
    return str(result.exception)


def test_a_configuration_is_written_and_the_next_steps_are_told(tmp_path: Path) -> None:
    with served(FakeVLLM(version="0.32.0", reads_embeddings=False)) as url:
        result = run(tmp_path, "--url", f"{url}/v1/", "--no-detector")

    told = result.stdout.splitlines()
    assert result.exit_code == 0, result.output
    assert told[0] == f"{url}: vLLM 0.32"
    assert told[1] == "  serves demo, 512 tokens"
    assert "  --enable-prompt-embeds" in told
    assert f"  1. ecoguard serve --config {tmp_path / 'guard.yaml'}" in told
    settings = load(tmp_path / "guard.yaml", {})
    assert settings.upstream.servers == (url,)
    assert [policy.detector for policy in settings.policies] == ["phrases"]


def test_it_asks_for_the_address(tmp_path: Path) -> None:
    with served(FakeVLLM()) as url:
        result = run(tmp_path, "--no-detector", given=f"{url}\n")
    assert "Address of the vLLM server [http://127.0.0.1:8000]:" in result.stdout
    assert result.exit_code == 0, result.output


def test_a_detector_that_is_there_is_taken(tmp_path: Path) -> None:
    write_word_detector(tmp_path / "ours", ["ignore"], needed=1)
    with served(FakeVLLM()) as url:
        result = run(tmp_path, "--url", url, "--artifact", "ours")
    assert "building" not in result.stdout
    policies = load(tmp_path / "guard.yaml", {}).policies
    assert [policy.detector for policy in policies] == ["malicious", "phrases"]


@pytest.mark.parametrize(
    ("program", "said"),
    [("raise SystemExit('a line\\nno space')", "no space"), ("raise SystemExit(3)", "no message")],
)
def test_a_detector_that_cannot_be_built_is_told(tmp_path: Path, program: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"could not be built: {said}"):
        build(tmp_path / "malicious", ("-c", program))


def test_an_existing_file_is_left_alone_unless_told(tmp_path: Path) -> None:
    (tmp_path / "guard.yaml").write_text("ours")
    with served(FakeVLLM()) as url:
        refused = run(tmp_path, "--url", url, "--no-detector")
        written = run(tmp_path, "--url", url, "--no-detector", "--force")
    assert "is there already; --force writes over it" in failure(refused)
    assert written.exit_code == 0, written.output
    assert load(tmp_path / "guard.yaml", {}).policies


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--url", "vllm:8000"), "--url: 'vllm:8000' is no address"),
        (("--url", "http://127.0.0.1:9", "--key-env", "NOT_SET_HERE"), "NOT_SET_HERE is not set"),
        (("--url", "http://127.0.0.1:9"), "cannot be reached; does it run"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in failure(run(tmp_path, *arguments, "--no-detector"))
