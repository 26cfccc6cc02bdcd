"""Commands `ecoguard prompts …`: which system prompts a proxy knows, and judges as attacks no more.

They change the file of pins only; a proxy reads it again when it reloads its configuration.
"""

import getpass
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from guard.commands.options import CONFIG, ConfigFile
from guard.terms.errors import ConfigError, about

if TYPE_CHECKING:
    from guard.recognition.pin_file import Pin, PinFile
    from guard.recognition.proposals import Proposal
    from guard.settings import Recognition

prompts_app = typer.Typer(
    help="System prompts that are known.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SHOWN = 12
"""Characters of a hash that are shown, and enough to name it."""
OnlyKey = Annotated[
    str | None, typer.Option("--key", help="Only what the requests of this API key have had.")
]


@prompts_app.command()
def pin(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files, a prompt in each; `-` is standard input.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="A name for it; otherwise the file's.")
    ] = None,
    from_shadow: Annotated[
        bool, typer.Option("--from-shadow", help="Pin what `proposed` shows.")
    ] = False,
    key: OnlyKey = None,
    config: ConfigFile = CONFIG,
) -> None:
    """Pin prompts: from now on they are not judged as attacks."""
    file, section = _section(config)
    if bool(files) == from_shadow:
        raise ConfigError("name files, or --from-shadow")
    if from_shadow:
        found = [_proposed_pin(one, name) for one in _proposals(file, section, key)]
    else:
        found = list(_pins_of(files or (), name, section))
    pins = _read(file)
    known = {one.digest for one in pins.pins}
    new = list({one.digest: one for one in found if one.digest not in known}.values())
    _write(file, pins.model_copy(update={"pins": (*pins.pins, *new)}))
    for one in new:
        typer.echo(f"{one.digest[:SHOWN]}\t{one.name}: pinned")
    typer.echo(f"{len(new)} pinned, {len(found) - len(new)} known before; reload the proxy")


@prompts_app.command("list")
def list_pins(config: ConfigFile = CONFIG) -> None:
    """List what is pinned: hash, name, where it was learned, date, who pinned it."""
    file, _ = _section(config)
    for one in _read(file).pins:
        facts = one.digest[:SHOWN], one.name, one.source, f"{one.time:%Y-%m-%d}", one.by
        typer.echo("\t".join(facts))


@prompts_app.command()
def remove(
    which: Annotated[str, typer.Argument(help="Its name, or the beginning of its hash.")],
    config: ConfigFile = CONFIG,
) -> None:
    """Take a prompt out: from now on it is judged again."""
    from guard.recognition.pin_file import Removal

    file, _ = _section(config)
    pins = _read(file)
    found = [one for one in pins.pins if one.name == which or one.digest.startswith(which)]
    if len(found) != 1 or not which:
        raise ConfigError(f"{file}: {len(found) or 'no'} prompts '{which}'; name one")
    removal = Removal(pin=found[0], time=datetime.now(UTC), by=getpass.getuser())
    left = tuple(one for one in pins.pins if one is not found[0])
    _write(file, pins.model_copy(update={"pins": left, "removed": (*pins.removed, removal)}))
    typer.echo(f"{found[0].digest[:SHOWN]}\t{found[0].name}: removed; reload the proxy")


@prompts_app.command()
def proposed(key: OnlyKey = None, config: ConfigFile = CONFIG) -> None:
    """List prompts that a key's requests had often: hash, key, requests, characters, date."""
    file, section = _section(config)
    for one in _proposals(file, section, key):
        facts = one.digest[:SHOWN], one.key or "-", str(one.requests), str(one.characters)
        typer.echo("\t".join((*facts, f"{one.time:%Y-%m-%d}")))


@prompts_app.command()
def digest(
    file: Annotated[Path, typer.Argument(help="A file with a prompt; `-` is standard input.")],
    config: ConfigFile = CONFIG,
) -> None:
    """Print a prompt's hash, to find it among what is proposed."""
    _, section = _section(config)
    (found,) = _pins_of([file], None, section)
    typer.echo(found.digest[:SHOWN])


def _section(config: Path) -> "tuple[Path, Recognition]":
    """The file of pins, and the section that names it."""
    from guard.settings import load, placing

    section = load(config).recognition
    with placing(config), about("recognition", "prompts"):
        if section.prompts is None:
            raise ConfigError("is not set: name a file for pinned prompts")
    return section.prompts, section


def _pins_of(files: Sequence[Path], name: str | None, section: "Recognition") -> "Iterator[Pin]":
    from guard.recognition.prompts import PinnedPrompts, prompt_digester

    prompts = PinnedPrompts(prompt_digester(section))
    for file in files:
        text = _text(file)
        made = prompts.digest(text)
        if not text.strip() or made is None:
            raise ConfigError(f"{file}: holds no prompt")
        yield _pin(made.hex(), name or file.stem, "file")


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8") from error


def _proposals(file: Path, section: "Recognition", key: str | None) -> "list[Proposal]":
    """What is proposed and not pinned."""
    from guard.recognition.proposals import read_proposals

    if section.proposals is None:
        raise ConfigError("recognition.proposals: not configured")
    pinned = {one.digest for one in _read(file).pins}
    found = read_proposals(section.proposals.file)
    return [one for one in found if one.digest not in pinned and key in (None, one.key)]


def _proposed_pin(proposal: "Proposal", name: str | None) -> "Pin":
    return _pin(proposal.digest, name or proposal.key or "-", "shadow")


def _pin(made: str, name: str, source: Literal["file", "shadow"]) -> "Pin":
    from guard.recognition.pin_file import Pin

    now = datetime.now(UTC)
    return Pin(digest=made, name=name, source=source, time=now, by=getpass.getuser())


def _read(file: Path) -> "PinFile":
    from guard.recognition.pin_file import read_pins

    return read_pins(file)


def _write(file: Path, pins: "PinFile") -> None:
    from guard.recognition.pin_file import write_pins

    write_pins(file, pins)
