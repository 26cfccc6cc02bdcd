"""What is installed is named by its hash, and an SBOM names all of it."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.source_tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
ENTRY = re.compile(
    r"(?m)^([A-Za-z0-9_.-]+)==([^ ;]+)[^\n]*((?:\n +--hash=sha256:[0-9a-f]{64}[^\n]*)*)"
)


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> dict[str, str]:
    """Versions by package."""
    text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    return {normalised(package): version for package, version, _ in ENTRY.findall(text)}


def declared(extras: Iterable[str]) -> set[str]:
    """Names that the project asks for with these extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return {normalised(Requirement(line).name) for line in lines} - {"ecoguard"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.stem))
def test_every_line_of_a_lock_has_a_version_and_hashes(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = ENTRY.findall(text)
    assert entries
    assert len(entries) == len(re.findall("(?m)^[A-Za-z]", text))
    assert all(hashes for _, _, hashes in entries)


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("serve", ("images", "redis", "store", "trace")),
        ("train", ("images", "redis", "store", "trace", "train")),
        ("develop", tuple(EXTRAS)),
    ],
)
def test_the_locks_name_every_dependency(lock: str, extras: tuple[str, ...]) -> None:
    missing = declared(extras) - locked(lock).keys() - {"torch"}
    assert not missing, "run `make locks`"


@pytest.mark.parametrize("lock", [lock.stem for lock in LOCKS])
def test_the_locks_have_the_versions_of_the_constraints(lock: str) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines)
    wanted = {normalised(name): version for name, version in pinned.items()}
    differing = {
        n
        for n, v in locked(lock).items()
        if wanted.get(n, v.removesuffix("+cpu")) != v.removesuffix("+cpu")
    }
    assert not differing, "run `make locks`"


def test_serving_locks_nothing_of_training() -> None:
    assert not {"torch", "transformers", "scikit-learn", "ray"} & locked("serve").keys()
    assert locked("torch").keys() == locked("torch-cpu").keys() == {"torch"}


def test_the_sbom_names_every_dependency(tmp_path: Path) -> None:
    """The command of `make dist`."""
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    (command,) = re.findall(r"cyclonedx-py (requirements .*?)\n\n", made, re.DOTALL)
    words = command.replace("\\\n", " ").split()
    out = tmp_path / "sbom.json"
    words[words.index("--output-file") + 1] = str(out)
    program = Path(sys.executable).parent / "cyclonedx-py"
    subprocess.run([program, *words], cwd=ROOT, check=True, capture_output=True)
    bom = json.loads(out.read_text(encoding="utf-8"))
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["name"] == "ecoguard"
    named = {normalised(part["name"]): part["version"] for part in bom["components"]}
    assert named == locked("serve")
    assert declared(("redis", "store", "trace")) <= named.keys()


def test_the_image_is_installed_from_locks_and_carries_its_sbom() -> None:
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip (?:--python \S+ )?install (.*?)(?: \\|;|$)", recipe, re.MULTILINE)
    assert len(installs) == 6
    assert all("--require-hashes -r locks/" in line or "/wheels/*.whl" in line for line in installs)
    assert "--output-file /opt/ecoguard/sbom.cdx.json /opt/ecoguard/bin/python" in recipe


@pytest.mark.parametrize("script", ["lock.sh", "build-image.sh"])
def test_the_scripts_are_whole(script: str) -> None:
    done = subprocess.run(
        ["bash", "-n", ROOT / "deploy" / script], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
