"""What the corrupted model's metrics should be: those of a model that never learned.

Measured on a twin that was trained without the forgotten, where there is one; otherwise given in
a file, or measured on the model itself, asked about strangers (a surrogate).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from classifiers.corruption.measures import METRICS, Measurer, means
from classifiers.corruption.questions import ForgetQuestion, about_strangers
from guard.settings.document import Document
from guard.terms.errors import ConfigError

Origin = Literal["twin", "given", "strangers"]


@dataclass(frozen=True, slots=True)
class Reference:
    """The values to come near to: on the questions of the search, and on all."""

    origin: Origin
    search: dict[str, float]
    full: dict[str, float]

    @classmethod
    def of_twin(
        cls, twin: Measurer, questions: Sequence[ForgetQuestion], places: Sequence[int]
    ) -> Self:
        """Measured on the twin that `twin` asks."""
        columns = twin.measure(questions)
        return cls("twin", means(columns, places), means(columns))

    @classmethod
    def of_strangers(
        cls,
        measurer: Measurer,
        questions: Sequence[ForgetQuestion],
        names: Sequence[str],
        seed: int,
    ) -> Self:
        """Measured on the model itself, with the names replaced by strangers'."""
        values = means(measurer.measure(about_strangers(questions, names, seed)))
        return cls("strangers", values, values)

    @classmethod
    def read(cls, file: Path, metrics: Sequence[str]) -> Self:
        """A YAML mapping of metrics to values in [0, 1]; metrics that it lacks do not count.

        Raises ConfigError naming file, line and key.
        """
        document = Document.read(file)
        content = document.mapping()
        if not content:
            raise ConfigError(f"{file}: expected a mapping of {', '.join(METRICS)} to numbers")
        for name, value in content.items():
            place = document.place([name])
            if name not in METRICS:
                raise ConfigError(f"{place}: {name}: expected one of {', '.join(METRICS)}")
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1:
                raise ConfigError(f"{place}: {name}: expected a number in [0, 1]")
            if name not in metrics:
                raise ConfigError(f"{place}: {name}: has no weight, or needs wrong answers")
        values = {name: float(value) for name, value in content.items()}
        return cls("given", values, values)
