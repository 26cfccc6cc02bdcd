"""Scripts that run in or for the cluster: secrets, training, downloads."""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.settings import Settings
from tests.deployment.manifests import KUBERNETES
from tests.deployment.programs import kubectl
from tests.source_tree import ROOT

TRAIN = KUBERNETES / "components" / "training" / "train.sh"
FETCH = KUBERNETES / "components" / "artifact-download" / "fetch_artifact.py"


def test_secrets_are_made_and_the_key_fits_its_hash() -> None:
    environment = os.environ | {"KUBECTL": f"{kubectl()} --dry-run=client --output=yaml"}
    script = KUBERNETES / "create-secrets.sh"
    done = subprocess.run(
        [script, "ns"], env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.replace("apiVersion", "---\napiVersion")
    secrets = {m["metadata"]["name"]: m for m in yaml.safe_load_all(lines) if m}
    assert {m["metadata"]["namespace"] for m in secrets.values()} == {"ns"}
    values = secrets["ecoguard-secrets"]["data"]
    assert values.keys() == {
        *("VLLM_API_KEY", "ECOGUARD_CORRUPTION_KEY", "ECOGUARD_STORE_PASSWORD"),
    }
    assert len(set(values.values())) == 3
    (entry,) = yaml.safe_load(_decoded(secrets["ecoguard-keys"]["data"]["keys.yaml"]))
    key = done.stderr.split()[-1]
    assert entry["sha256"] == hashlib.sha256(key.encode()).hexdigest()
    upstream = {"url": "http://127.0.0.1:1"}
    assert Settings.model_validate({"upstream": upstream, "keys": [entry]}).keys[0].name == "first"


def _decoded(value: str) -> str:
    import base64

    return base64.b64decode(value).decode()


# Stands in for the trainer: notes what it is called with, and refuses where it is told to.
TRAINER = """#!/bin/sh
echo "$@" >>"$CALLS"
if [ "$1" = malicious ]; then
    while [ "$1" != --out ]; do shift; done
    mkdir "$2"
elif [ -n "${REFUSE:-}" ]; then
    exit 1
fi
"""


class Training:
    """The script over a volume of its own and a trainer that only notes its calls."""

    def __init__(self, folder: Path) -> None:
        self.artifacts = folder / "artifacts"
        self.calls = folder / "calls"
        self.artifacts.mkdir()
        self.script = folder / "train.sh"
        self.script.write_text(TRAIN.read_text().replace("/artifacts", str(self.artifacts)))
        (folder / "bin").mkdir()
        trainer = folder / "bin" / "ecoguard-train"
        trainer.write_text(TRAINER)
        trainer.chmod(0o755)
        self.environment = {
            "PATH": f"{trainer.parent}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "STORE_URL": "postgresql://db/traffic",
            "GATE_SET": "gate.jsonl",
            "ENCODER": "encoder",
        }

    def run(self, **environment: str) -> int:
        """The exit status."""
        env = self.environment | environment
        return subprocess.run(
            ["sh", self.script], env=env, capture_output=True, check=False
        ).returncode

    def links(self) -> set[str]:
        """The names that lead to an artifact."""
        return {p.name for p in self.artifacts.iterdir() if p.is_symlink() and p.is_dir()}


@pytest.fixture
def training(tmp_path: Path) -> Training:
    """A first training."""
    return Training(tmp_path)


def test_training_passes_the_gate_and_is_a_candidate(training: Training) -> None:
    assert training.run() == 0
    assert training.links() == {"candidate"}
    trained, gated = training.calls.read_text().splitlines()
    assert trained.startswith("malicious --config /training/recipe.yaml --encoder encoder")
    assert "--from-store postgresql://db/traffic" in trained
    assert gated.startswith("gate ")
    assert "--in-service" not in trained + gated


def test_what_the_gate_refuses_is_nowhere(training: Training) -> None:
    assert training.run(REFUSE="1", PROMOTE="yes") == 1
    assert training.links() == set()


def test_a_promoted_one_is_what_the_next_is_compared_with(training: Training) -> None:
    assert training.run(PROMOTE="yes") == 0
    assert training.links() == {"candidate", "current"}
    first = (training.artifacts / "current").readlink()
    assert not first.is_absolute()
    (training.artifacts / first).rename(training.artifacts / "earlier")
    (training.artifacts / "current").unlink()
    (training.artifacts / "current").symlink_to("earlier")
    assert training.run() == 0
    assert (training.artifacts / "current").readlink() == Path("earlier")
    last = training.calls.read_text().splitlines()[-2:]
    assert all(f"--in-service {training.artifacts}/current" in call for call in last)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An artifact, packed as the page for operators says."""
    write(tmp_path / "made" / "phrases", draft("phrases", "phrases"), files={"list.txt": b"x"})
    packed = tmp_path / "phrases.tar.gz"
    with tarfile.open(packed, "w:gz") as file:
        file.add(tmp_path / "made" / "phrases", "phrases")
    return packed


def fetch(archive: Path, out: Path, digest: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "ARTIFACT_URL": archive.as_uri(),
        "ARTIFACT_SHA256": digest or hashlib.sha256(archive.read_bytes()).hexdigest(),
        "ARTIFACT_OUT": str(out),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, str(FETCH)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_artifact_with_the_right_digest_is_unpacked(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "volume" / "artifact"
    out.parent.mkdir()
    done = fetch(archive, out)
    assert done.returncode == 0, done.stderr
    assert read(out).bytes_of("list.txt") == b"x"
    assert [path.name for path in out.parent.iterdir()] == ["artifact"]


def test_another_digest_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "volume" / "artifact"
    out.parent.mkdir()
    done = fetch(archive, out, "0" * 64)
    assert done.returncode == 1
    assert "SHA-256 is" in done.stderr
    assert list(out.parent.iterdir()) == []


def test_an_archive_whose_files_were_altered_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path / "made", draft("phrases", "phrases"), files={"list.txt": b"x"})
    (tmp_path / "made" / "list.txt").write_bytes(b"y")
    packed = tmp_path / "made.tar.gz"
    with tarfile.open(packed, "w:gz") as file:
        file.add(tmp_path / "made", "made")
    out = tmp_path / "volume" / "artifact"
    out.parent.mkdir()
    done = fetch(packed, out)
    assert done.returncode == 1
    assert "SHA-256 differs from the manifest" in done.stderr
    assert list(out.parent.iterdir()) == []
