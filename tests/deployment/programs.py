"""The operators' own programs, as the tests find them: missing ones are an error in CI."""

import os
import shutil
from pathlib import Path

import pytest

from tests.source_tree import ROOT

TOOLS = ROOT / ".tools" / "bin"  # what tests/deployment/install.sh unpacks


def program(name: str, remedy: str) -> Path:
    """A program's path. Without it the test is skipped, saying what to install; in CI it fails."""
    found = shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found:
        return Path(found)
    message = f"no {name} here: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def promtool() -> Path:
    """Prometheus' checker of rules."""
    return program("promtool", "apt-get install prometheus")


def prometheus() -> Path:
    """Prometheus itself."""
    return program("prometheus", "apt-get install prometheus")


def helm() -> Path:
    """The chart's template engine."""
    return program("helm", "make tools")


def kubectl() -> Path:
    """What renders the Kustomize tree."""
    return program("kubectl", "make tools")
