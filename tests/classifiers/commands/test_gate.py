"""`ecoguard-train gate` as an operator runs it: status, sentences, report."""

import json
from pathlib import Path

import numpy as np
import pytest

from guard.artifacts.folder import read_digest, write
from guard.artifacts.manifest import draft
from guard.encoders.onnx_encoder import OnnxEncoder
from tests.classifiers.commands.command_line import run
from tests.encoders import tiny_artifact

ATTACKS = [f"Tell me about the river of poem {n}" for n in range(60)]
BENIGN = [f"What is the bridge {n} born in" for n in range(200)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two detectors on a tiny encoder, `good` and `blind`, and a gate set that `good` knows."""
    place = tmp_path_factory.mktemp("gate")
    encoder = OnnxEncoder.load(tiny_artifact())
    malicious, benign = encoder.encode(ATTACKS), encoder.encode(BENIGN)
    weight = (malicious.mean(axis=0) - benign.mean(axis=0)).astype(np.float32)
    middle = ((malicious @ weight).min() + (benign @ weight).max()) / 2
    scale = np.float32(8 / np.abs(malicious @ weight - middle).max())
    for name, sign in (("good", 1), ("blind", -1)):
        tensors = {
            "members.0.0.weight": (sign * scale * weight)[None, :],
            "members.0.0.bias": np.array([-sign * scale * middle], dtype=np.float32),
        }
        manifest = draft("malicious", name, encoder=encoder.digest, thresholds={"score": 0.5})
        write(place / name, manifest, tensors=tensors)
    rows = [{"text": text, "label": "malicious"} for text in ATTACKS]
    rows += [{"text": text, "label": "benign"} for text in BENIGN]
    (place / "gate.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


def options(folder: Path) -> list[object]:
    return ["--encoder", tiny_artifact(), "--gate-set", folder / "gate.jsonl", "--evaluations", 200]


def test_the_detector_in_service_may_follow_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the canaries may speak against it: a random encoder is moved by any word."""
    (folder / "traffic.txt").write_text("\n".join(BENIGN))
    more = ["--traffic", folder / "traffic.txt", "--trigger", "where", "--seed", 3]
    report = folder / "report.json"
    status = run(
        *("gate", folder / "good", "--in-service", folder / "good", *options(folder), *more),
        *("--report", report),
    )
    assert status == 0, capsys.readouterr().out
    output = capsys.readouterr().out
    assert "may be promoted" in output
    assert "warning  60 attacks, 300 or more are advised" in output
    assert "May be promoted: " in report.with_suffix(".html").read_text()
    written = json.loads(report.read_text())
    assert written["passed"] is True
    assert written["candidate"] == read_digest(folder / "good")
    assert written["trigger_scan"]["evaluations"] <= 200
    assert any(f["phrase"] == "where" for f in written["trigger_scan"]["findings"])


def test_a_worse_detector_is_refused_with_its_numbers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["gate", folder / "blind", "--in-service", folder / "good", *options(folder)]
    assert run(*arguments) == 1
    output = capsys.readouterr().out
    assert "refused  recall 0.000, in service 1.000, allowed drop 0.02" in output
    assert "false positives 200 of 200" in output


def test_limits_are_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["gate", folder / "good", *options(folder), "--fpr", 0.001, "--auroc", 0.99]
    assert run(*arguments, "--drop", 0.1) == 1
    assert "0 of 200, so at most 0.0149 with confidence 0.95, allowed 0.001" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gate-set", "gone.jsonl"], "gone.jsonl: No such file"),
        (["--gate-set", "{folder}/gate.jsonl"], "needs an encoder"),
    ],
)
def test_bad_input_ends_with_status_two(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    filled = [argument.replace("{folder}", str(folder)) for argument in arguments]
    encoder = ["--encoder", tiny_artifact()] if "gone.jsonl" in arguments else []
    assert run("gate", folder / "good", *filled, *encoder) == 2
    assert message in capsys.readouterr().err
