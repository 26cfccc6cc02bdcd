"""System prompts that many requests of a key have had: proposed to the operator, by hash.

A proposal is a line of a file: the hash, the key's name, how many requests, how many characters.
Each process counts for itself and writes a line once; nothing is pinned that nobody has confirmed.
"""

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guard.recognition.pin_file import Digest
from guard.settings import Proposals as Settings
from guard.terms.errors import ConfigError

logger = logging.getLogger(__name__)

MOST_COUNTED = 4096
"""Prompts of keys that are counted at a time; the least recently seen go first."""
MOST_BYTES = 4 << 20
"""Of the file: beyond that nothing more is proposed."""


class Proposal(BaseModel):
    """A prompt that a key's requests have had."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: Digest
    key: str
    requests: Annotated[int, Field(ge=1)]
    characters: Annotated[int, Field(ge=0)]
    time: datetime


class Proposer:
    """Counts prompts of requests that were passed on; used inside one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counts: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def seen(self, owner: str, prompts: Iterable[tuple[bytes, int]]) -> None:
        """The prompts of one request of a key, by hash and characters, each once."""
        for digest, characters in dict(prompts).items():
            count = self._counted((owner, digest))
            if count == self._settings.after:
                self._propose(
                    Proposal(
                        digest=digest.hex(),
                        key=owner,
                        requests=count,
                        characters=characters,
                        time=datetime.now(UTC),
                    )
                )

    def _counted(self, place: tuple[str, bytes]) -> int:
        count = self._counts[place] = self._counts.pop(place, 0) + 1
        while len(self._counts) > MOST_COUNTED:
            self._counts.popitem(last=False)
        return count

    def _propose(self, proposal: Proposal) -> None:
        task = asyncio.create_task(asyncio.to_thread(_append, self._settings.file, proposal))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until what was proposed is written."""
        await asyncio.gather(*self._tasks)


def _append(file: Path, proposal: Proposal) -> None:
    line = proposal.model_dump_json().encode() + b"\n"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < MOST_BYTES:
                os.write(descriptor, line)  # one write: lines of several processes stay whole
        finally:
            os.close(descriptor)
    except OSError as error:
        logger.error("recognition.proposals.file: %s", error.strerror)


def read_proposals(file: Path) -> list[Proposal]:
    """What was proposed: one for each prompt and key, the requests of all lines added up, those
    with the most first."""
    found: dict[tuple[str, str], Proposal] = {}
    for number, line in enumerate(_lines(file), 1):
        try:
            new = Proposal.model_validate_json(line)
        except ValidationError as error:
            raise ConfigError(f"{file}:{number}: no proposal") from error
        old = found.get((new.digest, new.key))
        requests = new.requests + (old.requests if old else 0)
        first = old.time if old else new.time
        found[new.digest, new.key] = new.model_copy(update={"requests": requests, "time": first})
    return sorted(found.values(), key=lambda one: (-one.requests, one.characters, one.digest))


def _lines(file: Path) -> list[bytes]:
    try:
        return file.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
