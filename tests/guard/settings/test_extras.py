"""What only some configurations need is asked for first, in one form of words."""

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from guard.settings.extras import EXTRAS, require_extra
from tests.source_tree import ROOT


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_module_belongs_to_its_extra(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {
        canonicalize_name(Requirement(line).name)
        for line in project["optional-dependencies"][extra]
    }
    providers = packages_distributions()
    for module in EXTRAS[extra]:
        found = {canonicalize_name(name) for name in providers[module.partition(".")[0]]}
        assert named & found, module


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_is_installed_is_not_missed(extra: str) -> None:
    require_extra(extra)  # raises nothing: the tests' environment has them all


SECTIONS = {
    "alembic": ("store: {}", "store: needs packages that are not installed (alembic)", "[store]"),
    "PIL": ("images: {enabled: true}", "images: needs packages that are not", "[images]"),
    "redis": ("redis: {url: 'redis://x'}", "redis: needs packages that", "[redis]"),
    "opentelemetry.sdk": ("tracing: {endpoint: 'http://x'}", "tracing: needs packages", "[trace]"),
}


@pytest.mark.parametrize("module", SECTIONS)
def test_what_is_missing_is_said_before_any_artifact_is_read(tmp_path: Path, module: str) -> None:
    section, told, extra = SECTIONS[module]
    file = tmp_path / "guard.yaml"
    file.write_text(f"upstream: {{url: 'http://x'}}\nencoder: {{path: none}}\n{section}\n")
    code = (
        f"import sys; sys.modules[{module!r}] = None\nfrom guard.commands.main import main; main()"
    )

    result = subprocess.run(
        [sys.executable, "-c", code, "check", "--config", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert result.stderr.startswith(f"{file}:3: {told}")
    assert f"pip install 'ecoguard{extra}'" in result.stderr
