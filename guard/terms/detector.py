"""The contract between screening and its detectors."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import TypeIs

T = TypeVar("T")
_conforming: dict[tuple[type, object], bool] = {}


def conforms(thing: object, protocol: Callable[..., T]) -> "TypeIs[T]":
    """`isinstance` for the protocols below, asked once for all objects of a class.

    A request asks a dozen times, and each time Python would look at every member: 13 µs.
    """
    asked = type(thing), protocol
    if asked not in _conforming:
        kind: Any = protocol
        _conforming[asked] = isinstance(thing, kind)
    return _conforming[asked]


Scores = NDArray[np.float32]
Features = NDArray[np.float32]


class Detector(Protocol):
    """Scores texts, or what an encoder made of them.

    `threshold` is the artifact's own; `version` changes whenever any score could; `encoder` is the
    digest of the encoder artifact whose features the detector reads, or None for one that reads
    the texts alone. One that reads texts through a bounded model of its own is a `Windowing` too:
    screening cuts its texts to fit.
    """

    threshold: float
    encoder: str | None

    @property
    def version(self) -> str:
        """The digest of the artifact, or of whatever else decides the scores; "" where nothing
        does: such scores are never remembered."""
        ...

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        """Scores in [0, 1], shape (n,), for n texts; higher is worse.

        `features` has shape (n, width), row by row those of `texts`; None where `encoder` is.
        """
        ...


@runtime_checkable
class SubjectDetector(Protocol):
    """A detector of subjects that are asked about, such as a person who is to be forgotten.

    Each sentence counts by itself, so that harmless ones beside it do not hide a question; and a
    turn that refers back to a subject, without naming it, counts as the turn that named it.
    """

    def subjects(
        self, texts: Sequence[str], features: Features | None, threshold: float
    ) -> tuple[int, ...]:
        """The subjects that some of the texts reach `threshold` for, by number, ascending."""
        ...

    def names_of(self, subjects: Sequence[int]) -> tuple[str, ...]:
        """The names of subjects, for the operator."""
        ...


@runtime_checkable
class PartsDetector(Protocol):
    """A detector whose score of a text follows from numbers of its parts, each by itself.

    Screening asks for the numbers and remembers them: a sentence is read once, though the windows
    around it change with every turn of a chat.
    """

    def parts(self, text: str) -> tuple[str, ...]:
        """What of a text is read, each once: the text itself, and its sentences, say."""
        ...

    def part_numbers(self, parts: Sequence[str]) -> Scores:
        """Finite numbers, shape (n,), of n parts; none depends on the others."""
        ...

    def score_of_parts(self, numbers: Sequence[float]) -> float:
        """The score in [0, 1] of a text whose parts, in their order, have these numbers."""
        ...


@runtime_checkable
class FeatureSource(PartsDetector, Protocol):
    """A detector whose model computes an encoder's features on its way to its own numbers.

    Screening has it read first, and the encoder only what is left.
    """

    features_of: str | None
    """The digest of the encoder in service if they are that encoder's features, else None."""

    def numbers_and_features(self, parts: Sequence[str]) -> tuple[Scores, Features]:
        """`part_numbers`, and the encoder's features, shape (n, width), of n parts."""
        ...


@runtime_checkable
class LivingDetector(Protocol):
    """A detector that changes while it serves."""

    def current(self) -> Detector:
        """Its present state, which never changes: a request is judged by one from end to end."""
        ...

    def listen(self, listener: Callable[[int, int], None]) -> None:
        """Have `listener` told how many parts are in service and how many are broken, now and
        whenever it was looked."""
        ...


class Encoder(Protocol):
    """Texts to features; the same object in training and in serving."""

    digest: str
    width: int

    def encode(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width), float32, each row of unit length."""
        ...


class WindowSize(NamedTuple):
    """Windows of a text, in characters: how long, and how much two neighbours share at least."""

    characters: int
    overlap: int


WINDOWS: tuple[WindowSize, ...] = (WindowSize(800, 200),)
"""What a model reads that says nothing else."""


@runtime_checkable
class WindowChoice(Protocol):
    """Says which windows a model wants to read: those it was trained and calibrated on.

    Short windows find a short attack in a long text, long ones what only a whole page shows. The
    text is cut in each of the sizes; the highest score counts.
    """

    @property
    def window_sizes(self) -> tuple[WindowSize, ...]:
        """At least one size, the longest first."""
        ...


def window_sizes(model: object) -> tuple[WindowSize, ...]:
    """The windows that a model reads; WINDOWS where it does not choose."""
    return model.window_sizes if conforms(model, WindowChoice) else WINDOWS


@runtime_checkable
class Windowing(Protocol):
    """Says how a text must be cut so that a model which reads so many tokens reads all of it."""

    @property
    def window_tokens(self) -> int:
        """The most tokens of one text that the model reads; the rest would be unseen."""
        ...

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        """Character ranges that cover `text`, at most `size` tokens each; one if it fits."""
        ...


class WindowedEncoder(Encoder, Windowing, Protocol):
    """An encoder that can say how a text must be cut so that it reads all of it."""
