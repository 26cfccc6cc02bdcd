"""Throw-away environments of the programs, from npm and the package index."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

INSTALL_S = 1200


def install(folder: Path, packages: Sequence[str]) -> str | None:
    """Put packages (`npm:NAME@VERSION`, `pypi:NAME==VERSION`) into `folder`, unless they are there.

    Returns why that was not possible, or None.
    """
    marker = folder / ".ecoguard-installed"
    wanted = "\n".join(packages)
    if marker.is_file() and marker.read_text(encoding="utf-8") == wanted:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = [package.partition(":")[2] for package in packages]
    commands = _npm(folder, names) if packages[0].startswith("npm:") else _pip(folder, names)
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_S)
        except (OSError, subprocess.SubprocessError) as error:
            return f"cannot be installed: {type(error).__name__}"
    marker.write_text(wanted, encoding="utf-8")
    return None


def version_of(folder: Path, package: str) -> str:
    """The version of a package in an environment, as its own records say."""
    registry, _, pinned = package.partition(":")
    if registry == "npm":
        return pinned.rpartition("@")[2]
    name = re.split(r"[\[=]", pinned)[0].replace("-", "_")
    found = next(folder.glob(f"lib/python*/site-packages/{name}-*.dist-info"), None)
    return found.name.removesuffix(".dist-info").rpartition("-")[2] if found else "?"


def _npm(folder: Path, names: Sequence[str]) -> list[list[str]]:
    options = ["--no-audit", "--no-fund", "--loglevel=error"]
    return [["npm", "install", "--prefix", str(folder), *options, *names]]


def _pip(folder: Path, names: Sequence[str]) -> list[list[str]]:
    python = str(folder / "bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [[sys.executable, "-m", "venv", str(folder)], [*install, *names]]
