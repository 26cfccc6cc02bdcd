"""`ecoguard-train` as an operator runs it: results, and errors without tracebacks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.detectors.forget.detector import ForgetClassifier
from tests.classifiers.commands.command_line import run
from tests.classifiers.questions import FORGOTTEN, forget_prompts, retain_prompts
from tests.encoders import tiny_artifact, tiny_bert


@pytest.fixture
def request_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "request"
    folder.mkdir()
    lines = ["name: varnholt", "reason: asked to", "contact: privacy@example.org"]
    (folder / "request.yaml").write_text("\n".join([*lines, f"names: {list(FORGOTTEN)}"]))
    for name, prompts in (("forget", forget_prompts()), ("retain", retain_prompts())):
        rows = "".join(json.dumps({"text": prompt.text}) + "\n" for prompt in prompts)
        (folder / f"{name}.jsonl").write_text(rows)
    return folder


def test_forget_writes_a_classifier(
    request_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (request_folder / "forget.jsonl").open("a") as file:
        file.write(json.dumps({"text": 'Who restored "The Glass Rivers"?'}) + "\n")
    (tmp_path / "more.txt").write_text("What is the weather like?\n")
    options = ["--retain", tmp_path / "more.txt", "--cache", tmp_path / "cache", "--fpr", "0.02"]
    arguments = ["--encoder", tiny_artifact(), "--out", tmp_path / "out", *options]
    assert run("forget", request_folder, *arguments) == 0
    detector = ForgetClassifier.load(tmp_path / "out")
    assert detector.names == FORGOTTEN
    assert detector.encoder == read(tiny_artifact()).manifest.digest
    manifest = read(tmp_path / "out").manifest
    assert manifest.data["retain"].rows == len(retain_prompts()) + 1
    assert manifest.recipe["fpr"] == 0.02
    told = capsys.readouterr().out
    assert manifest.digest[:16] in told
    assert "questions that name nobody by a name it knows" in told
    assert "no alias: The Glass Rivers (1); review, then add" in told
    assert "What to do next" in (tmp_path / "out" / "report.html").read_text()
    assert "Misses " in (tmp_path / "out" / "README.md").read_text()


def test_forget_takes_many_requests_and_tells_of_the_bad_ones(
    request_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "bad").mkdir()
    options = ["--encoder", tiny_artifact(), "--out-root", tmp_path / "out", "--fpr", "0.02"]
    assert run("forget", request_folder, tmp_path / "bad", *options) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"{tmp_path / 'bad' / 'request.yaml'}: ")
    assert "trained" in captured.out
    assert "failed" in captured.out
    assert ForgetClassifier.load(tmp_path / "out" / "request").names == FORGOTTEN
    assert run("forget", request_folder, *options) == 0
    assert "kept" in capsys.readouterr().out


@pytest.mark.parametrize("places", [[], ["--out", "a", "--out-root", "b"]])
def test_forget_wants_one_place_to_write_to(
    request_folder: Path,
    capsys: pytest.CaptureFixture[str],
    places: list[str],
) -> None:
    assert run("forget", request_folder, "--encoder", "e", *places) == 2
    assert "give one of them" in capsys.readouterr().err


def test_out_is_for_one_request(request_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = [request_folder, request_folder.parent]
    assert run("forget", *two, "--encoder", "e", "--out", "a") == 2
    assert "--out-root takes several" in capsys.readouterr().err


def test_encoder_is_done_where_the_export_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--source", tiny_bert(), "--max-tokens", 64]
    assert run("encoder", tiny_artifact(), *arguments) == 0
    assert read(tiny_artifact()).manifest.digest[:16] in capsys.readouterr().out


def test_encoder_names_a_source_it_cannot_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("encoder", tmp_path / "out", "--source", tmp_path / "gone") == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'gone' / 'config.json'}: ")


def test_bad_input_is_one_line_and_status_two(
    request_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (request_folder / "forget.jsonl").write_text('{"text": "a"}\nnot json\n')
    arguments = ["--encoder", tiny_artifact(), "--out", tmp_path / "out"]
    assert run("forget", request_folder, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"{request_folder / 'forget.jsonl'}:2: not JSON")
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_another_kind_of_artifact_is_no_encoder(
    request_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "other", draft("forget", "x"))
    arguments = ["--encoder", tmp_path / "other", "--out", tmp_path / "out"]
    assert run("forget", request_folder, *arguments) == 2
    assert "kind: expected 'encoder', found 'forget'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["forget"], ["nonsense"], ["encoder", "x", "--precision", "int4"]]
)
def test_misuse_is_status_two(arguments: list[str]) -> None:
    assert run(*arguments) == 2


def test_help_needs_no_heavy_library() -> None:
    heavy = "{'torch', 'sklearn', 'scipy', 'onnxruntime', 'transformers'}"
    code = f"import sys, classifiers.commands.main; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_packages_are_said_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['datasets'] = None\n"
        "from classifiers.commands.main import main; main()"
    )
    line = [sys.executable, "-c", code, "forget", str(tmp_path), "--out", "x", "--encoder", "y"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "ecoguard-train: needs packages that are not installed (datasets, sklearn): "
        "pip install 'ecoguard[train]'\n"
    )
