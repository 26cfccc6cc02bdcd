"""The file of pinned prompts: keyed hashes, with who pinned what and when. No text is in it.

What was taken out stays on record, so that the file tells its own history.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guard.artifacts.replacement import replace_file
from guard.terms.errors import ConfigError

MOST_BYTES = 16 << 20
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Pin(BaseModel):
    """A known prompt: its keyed hash, its name, and where it was learned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: Digest
    name: str
    source: Literal["file", "shadow"]
    time: datetime
    by: str


class Removal(BaseModel):
    """A pin that was taken out, and by whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pin: Pin
    time: datetime
    by: str


class PinFile(BaseModel):
    """What the file says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pins: tuple[Pin, ...] = ()
    removed: tuple[Removal, ...] = ()

    @property
    def digests(self) -> frozenset[bytes]:
        """The hashes of what is pinned."""
        return frozenset(bytes.fromhex(pin.digest) for pin in self.pins)


def read_pins(file: Path) -> PinFile:
    """What the file says, nothing where there is none yet; ConfigError where it is not one."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return PinFile()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{file}: larger than {MOST_BYTES} bytes")
    try:
        return PinFile.model_validate_json(content)
    except ValidationError as error:
        place = ".".join(str(step) for step in error.errors()[0]["loc"])
        raise ConfigError(f"{file}: {place or 'content'}: no file of pinned prompts") from error


def write_pins(file: Path, pins: PinFile) -> None:
    """Put the file in its place in one step; readable for its owner only."""
    try:
        replace_file(file, pins.model_dump_json(indent=1).encode() + b"\n", 0o600)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
