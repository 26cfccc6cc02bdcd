"""Writes docs/reference/commands.md from the programs themselves.

python -m tests.docs.commands > docs/reference/commands.md
"""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from classifiers.commands.main import app as train_app
from guard.commands.main import app as guard_app
from lab.demo.__main__ import app as demo_app

INTRODUCTION = """# Commands

Made by `python -m tests.docs.commands` from the programs; do not edit.

`ecoguard` serves and looks after what is served, `ecoguard-train` trains and measures. `--help` of
each command says the same. The exit status is 0 where all went well, 1 where the work was refused
or failed, 2 for a mistake in the command line or the configuration."""
PROGRAMS = {
    "ecoguard": guard_app,
    "ecoguard-train": train_app,
    "python -m lab.demo": demo_app,
}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command: its line, and what typer made of it."""
    for program, app in PROGRAMS.items():
        yield from _inner(program, typer.main.get_command(app))


def _inner(line: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command, or those of a group, at any depth."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield line, command
    for name, found in (inner or {}).items():
        yield from _inner(f"{line} {name}", found)


def page() -> Iterator[str]:
    """The page, line by line."""
    yield INTRODUCTION
    for line, command in commands():
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join([line, *(_usage(argument) for argument in arguments)])
        yield f"\n## `{line}`\n\n{paragraphs(command.help)}\n\n```\n{usage} [OPTIONS]\n```"
        if command.params:
            yield "\n| | default | |\n|---|---|---|"
        for parameter in (*arguments, *(p for p in command.params if p not in arguments)):
            yield f"| {' | '.join(row(parameter))} |"


def _usage(argument: Any) -> str:
    name = argument.name.upper() + ("…" if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def row(parameter: Any) -> tuple[str, str, str]:
    """A parameter's names, default and meaning."""
    names = [parameter.name.upper()]
    if parameter.param_type_name == "option":
        names = [*parameter.opts, *parameter.secondary_opts]
    meaning = " ".join((parameter.help or "").split()).replace("|", r"\|")
    return ", ".join(f"`{name}`" for name in names), default(parameter), meaning


def default(parameter: Any) -> str:
    """A default as the table writes it."""
    value = parameter.default
    if parameter.required:
        return "*required*"
    if value is None or value in ((), [], ""):
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, Enum):
        value = value.value
    return value.as_posix() if isinstance(value, Path) else str(value)


def paragraphs(text: str | None) -> str:
    """A docstring's paragraphs, each on one line."""
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def text() -> str:
    """The whole page."""
    return "\n".join(page()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
