"""The trace of a search: every measured candidate, from which the search can be resumed.

The optimisers are deterministic, so a search that finds its earlier measurements in the trace
asks the same questions again and goes on where it was.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import orjson

from classifiers.runs.digests import digest_of
from classifiers.runs.kept_work import KeptWork
from guard.corruption.functions import Corruption

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

    @classmethod
    def read(cls, content: bytes) -> Self:
        """From its JSON."""
        row = orjson.loads(content)
        return cls(**{**row, "corruption": Corruption(**row["corruption"])})


class Trace(KeptWork):
    """The measurements of one search; `made_from` says which. ConfigError for another search's."""

    def __init__(self, file: Path, made_from: Mapping[str, Any]) -> None:
        super().__init__(file, made_from)
        self.evaluations = [Evaluation.read(value) for value in self.values()]

    def find_evaluation(self, stage: Stage, corruption: Corruption) -> Evaluation | None:
        """An earlier measurement of the same."""
        found = (e for e in self.evaluations if (e.stage, e.corruption) == (stage, corruption))
        return next(found, None)

    def add(self, evaluation: Evaluation) -> None:
        """Keep a measurement."""
        self.evaluations.append(evaluation)
        key = digest_of([evaluation.stage, asdict(evaluation.corruption)])
        self.keep({key: orjson.dumps(asdict(evaluation))})
