"""The bench of memory: requests that differ, turns of every load, growth apart from warming up."""

from pathlib import Path

import numpy as np
import pytest

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.detectors.forget.detector import LONE_NAMES, NAMES
from guard.detectors.forget.requests import ForgetRequest
from lab.performance.artifacts import Artifacts
from lab.performance.compare import model_server
from lab.performance.contestants import Surroundings, ecoguard
from lab.performance.memory import CELLS, configured, described, observe, plot, write_requests


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    weights = {"weight": np.ones(4, np.float32), "bias": np.zeros(1, np.float32)}
    manifest = draft("forget", "one", encoder="0" * 64, thresholds={"score": 0.9})
    files = {NAMES: b'["Ada Example"]', LONE_NAMES: b"[]"}
    return write(tmp_path / "one", manifest, tensors=weights, files=files).folder


def test_requests_have_names_and_weights_of_their_own(tmp_path: Path, trained: Path) -> None:
    write_requests(trained, tmp_path / "all", 3)
    write_requests(trained, tmp_path / "all", 4)
    requests = [
        ForgetRequest.from_artifact(read(folder)) for folder in sorted((tmp_path / "all").iterdir())
    ]
    assert len(requests) == 4
    assert len({request.names for request in requests}) == 4
    assert len({request.digest for request in requests}) == 4


def test_the_folder_of_requests_takes_the_place_of_the_one(tmp_path: Path) -> None:
    artifacts = Artifacts(*(tmp_path / name for name in ("encoder", "forget", "malicious")))
    sections = configured(artifacts, tmp_path / "requests")
    assert sections["detectors"] == {
        "forget": {"kind": "forget-requests", "path": str(tmp_path / "requests")},
        "malicious": {"kind": "artifact", "path": str(tmp_path / "malicious")},
    }


def test_growth_counts_from_the_second_round_of_loads() -> None:
    memory = [100.0, 150, 160, 165, 170, 171, 172, 171, 172, 173, 172, 180]
    turns = [{"at_s": 10.0 * n, "memory_mib": m, "answered": 7} for n, m in enumerate(memory)]
    found = described(turns)
    assert (found["started_mib"], found["most_mib"], found["growth_mib"]) == (100, 180, 9)
    assert found["answered"] == 7 * len(memory)


def test_a_worker_is_looked_at_after_every_turn(tmp_path: Path) -> None:
    with (
        model_server(tmp_path) as upstream,
        ecoguard("off", {})(Surroundings(tmp_path, upstream.url)) as server,
    ):
        seen = list(observe(server, 0.2, 0.05))
    assert [turn["load"] for turn in seen[:3]] == ["none", CELLS[0].name, CELLS[1].name]
    assert all(float(turn["memory_mib"]) > 20 for turn in seen)
    assert sum(int(turn["answered"]) for turn in seen) > 10
    plot(seen, tmp_path / "memory.png")
    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")
