"""Thresholds as a manifest holds them: `score`, `score@8`, `third_party`, `third_party@8`.

The word before the `@` is an author, or `score` for everybody; the number behind it is the least
number of windows that a request makes the detector read.
"""

from collections.abc import Mapping

from guard.artifacts.folder import Artifact
from guard.terms.item import AUTHORS
from guard.terms.thresholds import Steps, Thresholds

EVERYBODY = "score"
AT = "@"


class MeaninglessError(ValueError):
    """A threshold that means nothing: its name, and what is wrong with it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem


def stored_thresholds(artifact: Artifact) -> Thresholds:
    """The thresholds of an artifact; ArtifactError names the one that has no meaning."""
    try:
        return read_thresholds(artifact.manifest.thresholds)
    except MeaninglessError as error:
        raise artifact.fail(f"thresholds.{error.name}", error.problem) from error


def read_thresholds(stored: Mapping[str, float]) -> Thresholds:
    """The thresholds that a manifest holds; MeaninglessError names the one without a meaning."""
    found: dict[str, dict[int, float]] = {}
    for name, value in stored.items():
        author, _, start = name.partition(AT)
        if author not in (EVERYBODY, *AUTHORS) or (start and not start.isdecimal()):
            raise MeaninglessError(name, "nobody's threshold")
        if not 0 < value <= 1:
            problem = f"expected a number in (0, 1], found {value}"
            raise MeaninglessError(name, problem)
        found.setdefault(author, {})[int(start or 1)] = value
    if 1 not in found.get(EVERYBODY, {}):
        raise MeaninglessError(EVERYBODY, "missing")
    steps = {author: _steps(author, values) for author, values in found.items()}
    return Thresholds(steps.pop(EVERYBODY), steps)


def manifest_thresholds(thresholds: Thresholds) -> Mapping[str, float]:
    """What a manifest holds of them."""
    whole = {EVERYBODY: thresholds.steps, **thresholds.by_author}
    return {
        author if start == 1 else f"{author}{AT}{start}": value
        for author, steps in whole.items()
        for start, value in zip(steps.starts, steps.values, strict=True)
    }


def _steps(author: str, values: Mapping[int, float]) -> Steps:
    starts = tuple(sorted(values))
    ascending = tuple(values[start] for start in starts)
    if starts[0] != 1:
        raise MeaninglessError(author, "missing")
    if list(ascending) != sorted(ascending):
        raise MeaninglessError(author, "falls where more is read")
    return Steps(starts, ascending)
