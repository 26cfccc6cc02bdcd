"""The trace of a search: a JSON line per measured candidate, from which it can be resumed.

The optimisers are deterministic, so a search that finds its earlier measurements in the trace
asks the same questions again and goes on where it was.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, Self

import orjson

from guard.corruption.functions import Corruption
from guard.terms.errors import ConfigError

Stage = Literal["search", "full"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One measured candidate; `stage` says on which questions, `seconds` is wall-clock time."""

    stage: Stage
    corruption: Corruption
    metrics: Mapping[str, float]
    distance: float
    seconds: float
    requests: int

    def line(self) -> bytes:
        """As it stands in the trace."""
        return orjson.dumps(asdict(self))

    @classmethod
    def read(cls, line: bytes) -> Self:
        """From a line of a trace; ValueError where it is none."""
        row = orjson.loads(line)
        try:
            return cls(**{**row, "corruption": Corruption(**row["corruption"])})
        except (TypeError, KeyError) as error:
            raise ValueError("not an evaluation") from error


class Trace:
    """A trace file, open for appending. `header` says what the search is.

    A file of another search is refused with ConfigError; a last line that was cut off is dropped.
    """

    def __init__(self, file: Path, header: Mapping[str, Any]) -> None:
        self.file = file
        self.evaluations: list[Evaluation] = []
        file.parent.mkdir(parents=True, exist_ok=True)
        self._stream: IO[bytes] = file.open("ab+")
        try:
            self._resume(orjson.dumps(header))
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def find(self, stage: Stage, corruption: Corruption) -> Evaluation | None:
        """An earlier measurement of the same."""
        found = (e for e in self.evaluations if (e.stage, e.corruption) == (stage, corruption))
        return next(found, None)

    def add(self, evaluation: Evaluation) -> None:
        """Append a measurement; it is on disk afterwards."""
        self.evaluations.append(evaluation)
        self._append(evaluation.line())

    def _append(self, line: bytes) -> None:
        self._stream.write(line + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _resume(self, header: bytes) -> None:
        self._stream.seek(0)
        whole = [
            line for line in self._stream.read().splitlines(keepends=True) if line[-1:] == b"\n"
        ]
        self._stream.truncate(sum(map(len, whole)))
        if not whole:
            self._append(header)
            return
        if whole[0].rstrip() != header:
            raise ConfigError(
                f"{self.file}: the trace of another search; move it away to start anew"
            )
        self.evaluations = list(self._read(whole[1:]))

    def _read(self, lines: list[bytes]) -> Iterator[Evaluation]:
        for number, line in enumerate(lines, start=2):
            try:
                yield Evaluation.read(line)
            except ValueError as error:
                raise ConfigError(f"{self.file}:{number}: not an evaluation") from error
