"""`ecoguard-train calibrate` as an operator runs it: thresholds that rise with what is read."""

import json
from pathlib import Path

import numpy as np
import pytest

from classifiers.evaluation.request_calibration import request_parts
from classifiers.prompts.conversations import read_conversations
from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.detectors.kinds import load_detector
from guard.encoders.onnx_encoder import OnnxEncoder
from tests.classifiers.commands.command_line import run
from tests.encoders import tiny_artifact

WORDS = ("river", "bridge", "poem", "stone", "lamp", "garden", "letter", "winter", "market", "boat")
FPR = 0.1


def conversation(rng: np.random.Generator, turns: int) -> dict[str, object]:
    """A harmless chat of random questions."""
    said = [" ".join(rng.choice(WORDS, 5)) for _ in range(2 * turns - 1)]
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)]}


def write_rows(file: Path, rng: np.random.Generator, rows: int) -> None:
    """A file of conversations of one to eight turns."""
    chats = [conversation(rng, 1 << int(rng.integers(4))) for _ in range(rows)]
    file.write_text("".join(json.dumps(chat) + "\n" for chat in chats))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that scores by chance, and harmless conversations to calibrate and to check."""
    place = tmp_path_factory.mktemp("calibrate")
    rng = np.random.default_rng(0)
    encoder = OnnxEncoder.load(tiny_artifact())
    tensors = {
        "members.0.0.weight": rng.normal(size=(1, encoder.width)).astype(np.float32) * 4,
        "members.0.0.bias": np.zeros(1, dtype=np.float32),
    }
    manifest = draft("malicious", "chance", encoder=encoder.digest, thresholds={"score": 0.5})
    write(place / "detector", manifest, tensors=tensors, report={"summary": "by chance"})
    write_rows(place / "benign.jsonl", rng, 400)
    write_rows(place / "unseen.jsonl", rng, 400)
    return place


def blocked(folder: Path, detector: Path) -> float:
    """The share of the unseen conversations that the detector fires for, as served."""
    encoder = OnnxEncoder.load(tiny_artifact())
    served = load_detector(detector, encoder)
    requests = read_conversations(str(folder / "unseen.jsonl"))
    fired = [
        any(part.score >= served.threshold for part in request_parts(request, served, encoder))
        for request in requests
    ]
    return float(np.mean(fired))


def test_the_rate_holds_for_requests_of_every_length(folder: Path) -> None:
    options = ["--benign", folder / "benign.jsonl", "--encoder", tiny_artifact(), "--fpr", FPR]
    assert run("calibrate", folder / "detector", *options, "--out", folder / "calibrated") == 0
    artifact = read(folder / "calibrated")
    thresholds = list(artifact.manifest.thresholds.values())
    assert len(thresholds) > 1
    assert thresholds == sorted(thresholds)
    report = json.loads(artifact.bytes_of("report.json"))
    assert report["summary"] == "by chance"
    assert report["requests"]["requests"] == 400
    assert all(row["guaranteed"] for row in report["requests"]["lengths"] if row["parts"] >= 20)
    assert (
        blocked(folder, folder / "calibrated") <= 1.3 * FPR < blocked(folder, folder / "detector")
    )


def test_too_few_conversations_are_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.jsonl").write_text('{"text": "river"}\n')
    options = ["--benign", tmp_path / "few.jsonl", "--encoder", tiny_artifact()]
    assert run("calibrate", folder / "detector", *options, "--out", tmp_path / "out") == 2
    assert "--benign: no length has the 199 requests it needs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
