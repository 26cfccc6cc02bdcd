"""What a way to learn a detector is: what it needs, what may be set, and what it fits."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from classifiers.malicious.candidate import Candidate
from classifiers.malicious.data.prompt_parts import TrainingPrompts
from classifiers.malicious.encoded import EncodedPrompts
from classifiers.malicious.fits import FitFolder
from classifiers.runs.step_progress import Progress
from guard.terms.detector import Encoder
from guard.terms.errors import ConfigError

S = TypeVar("S")
FEATURES = ("encoder",)
"""The need of a mode that reads an encoder's features."""


@dataclass(frozen=True, slots=True)
class Task:
    """A training as a mode is given it.

    `encoder` and `encoded` are None where there is no encoder. `base` is the Hugging Face encoder
    that a mode may train further (None: the default). `fits` keeps what is finished, `seed` decides
    whatever is drawn; the threshold must keep the false-positive rate `fpr` with `confidence`.
    """

    prompts: TrainingPrompts
    encoder: Encoder | None
    encoded: EncodedPrompts | None
    base: str | None
    fits: FitFolder
    seed: int
    fpr: float
    confidence: float
    progress: Progress


class Mode(ABC, Generic[S]):
    """A way to learn a detector.

    `needs` names what a recipe must give, each entry by the keys of which one is enough.
    `settings` is a dataclass: its fields are what a recipe may set under `modes` and the mode's
    name.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[tuple[str, ...], ...]]
    settings: type[S]

    @property
    def reads_features(self) -> bool:
        """Whether it learns from an encoder's features, which modes share: then it takes seconds,
        and is compared with the others where a recipe asks for that."""
        return FEATURES in self.needs

    def check(self, given: Collection[str]) -> None:
        """ConfigError naming what the mode needs and a recipe did not give."""
        for keys in self.needs:
            if not set(keys) & set(given):
                raise ConfigError(f"{' or '.join(keys)}: mode `{self.name}` needs it")

    @abstractmethod
    def fit(self, task: Task, settings: S) -> Candidate:
        """What the mode makes of the prompts, judged on those that nothing learned from.

        ConfigError where it cannot learn from them, or must not be believed.
        """
