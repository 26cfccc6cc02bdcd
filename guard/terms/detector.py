"""What screening asks of its detectors and of the encoder that they share.

Both are `Reader`s of texts: they say how a text must be cut so that they read all of it. The base
classes answer every question in the neutral way; a new detector overrides what it knows better.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from guard.terms.conversation import Asked
from guard.terms.item import AUTHORS, SIDES, Author, Call, Modality, Picture, Side
from guard.terms.thresholds import Thresholds

Scores = NDArray[np.float32]
Features = NDArray[np.float32]
Listener = Callable[[int, int], None]
"""Told how many parts of a detector are in service, and how many are broken."""


class WindowSize(NamedTuple):
    """Windows of a text, in characters: how long, and how much two neighbours share at least."""

    characters: int
    overlap: int


WINDOWS: tuple[WindowSize, ...] = (WindowSize(800, 200),)
"""What a model reads that says nothing else."""


class HeldOutScores(Protocol):
    """Scores of benign and malicious prompts that a detector never learned from, and how unusual a
    score is among them (`guard.detectors.calibration`)."""

    benign: Scores
    malicious: Scores

    def p_benign(self, score: float) -> float | None:
        """The share of benign prompts that score as high or higher; None where none is known."""
        ...

    def p_malicious(self, score: float) -> float | None:
        """The share of malicious prompts that score as low or lower; None where none is known."""
        ...


class Reader:
    """A model that reads texts of a bounded length, or of any.

    `window_tokens` is the most tokens of one text that it reads (the rest would be unseen), None
    for one without a bound. `window_sizes` are the windows that it was trained and calibrated on,
    the longest first: short windows find a short attack in a long text, long ones what only a
    whole page shows. The text is cut in each of the sizes; the highest score counts.
    """

    window_tokens: int | None = None
    window_sizes: tuple[WindowSize, ...] = WINDOWS

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:  # noqa: ARG002
        """Character ranges that cover `text`, at most `size` tokens each; one if it fits."""
        return [(0, len(text))]

    def retire(self) -> None:
        """Change no more and tell listeners nothing: a successor is in service. Requests under way
        may still be read."""

    def close(self) -> None:
        """Let go of threads and connections; nobody uses it any more."""

    async def disconnect(self) -> None:
        """Let go of connections of the running event loop; they open again when it is used."""


class Encoder(Reader):
    """Texts to features; the same object in training and in serving.

    `digest` is the artifact's and `width` the number of features; `recipe` says how the artifact
    was made, so that a detector can tell whether it computes the same features itself.
    """

    digest: str
    width: int
    recipe: Mapping[str, object] = {}

    def encode(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width), float32, each row of unit length."""
        raise NotImplementedError


class Detector(Reader):
    """Scores texts, or what an encoder made of them.

    `threshold` is the artifact's own. `version` changes whenever any score could: the digest of
    the artifact, or of whatever else decides the scores; "" where nothing does, and such scores are
    never remembered. `encoder` is the digest of the encoder artifact whose features are read, None
    for a detector of texts alone.
    """

    threshold: float = 0.5
    version: str = ""
    encoder: str | None = None
    calibration: HeldOutScores | None = None
    is_priced: bool = True
    """Whether what it reads counts against a request's budget; not where no model reads."""
    authors: frozenset[Author] = frozenset(AUTHORS)
    """Whose texts it is meant to judge, where a policy does not say."""
    thresholds: Thresholds | None = None
    """Where `threshold` is for a request of one window only: those for more. Screening takes off
    the scores what they stand above it."""

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        """Scores in [0, 1], shape (n,), for n texts; higher is worse.

        `features` has shape (n, width), row by row those of `texts`; None where `encoder` is.
        """
        raise NotImplementedError

    # A score that follows from numbers of a text's parts, each by itself: a sentence is read once,
    # though the windows around it change with every turn of a chat.

    def parts(self, text: str) -> tuple[str, ...]:
        """What of a text is read, each once: the text itself, and its sentences, say."""
        return (text,)

    def part_numbers(self, parts: Sequence[str], features: Features | None = None) -> Scores:
        """Finite numbers, shape (n,), of n parts; none depends on the others."""
        return self.score(parts, features)

    def score_of_parts(self, numbers: Sequence[float]) -> float:
        """The score in [0, 1] of a text whose parts, in their order, have these numbers."""
        return numbers[0]

    def names_in(self, text: str) -> bool:  # noqa: ARG002
        """Whether a text may hold a name that is looked for; who knows no names cannot say no."""
        return True

    finds_words: bool = False
    """Whether it looks for words as they are written. It is then given several texts joined in
    every order and with every joint in which a model could read them; others are given what their
    model reads, once."""

    reads_as_written: bool = False
    """Whether it judges each text as it stands: not what a disguise could mean, and not joined
    with others."""

    # What it can judge: screening gives it nothing else, and refuses a policy for another side.

    modalities: frozenset[Modality] = frozenset({"text"})
    sides: frozenset[Side] = frozenset(SIDES)

    def score_pictures(self, pictures: Sequence[Picture]) -> Scores:
        """Scores in [0, 1], shape (n,), of n pictures, for a detector that reads them."""
        raise NotImplementedError

    reach: int = 0
    """The most characters of what it finds: of an answer, so many that were judged stand behind
    what is released."""

    context: int = 0
    """Characters before the new text of an answer that it must see with it."""

    def about(self, call: Call) -> "Detector":  # noqa: ARG002
        """What judges the answer to `call`: itself, unless that depends on the request."""
        return self

    reads_question: bool = False
    """Whether it judges an answer together with its question too, where the question alone does
    not fire: the two may tell what neither tells alone."""

    finds_spans: bool = False
    """Whether it can say where what it found stands, so that it can be redacted."""

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:  # noqa: ARG002
        """Where in a text what fired stands, as (start, end) in characters."""
        return ()

    features_of: str | None = None
    """The digest of the encoder in service if `numbers_and_features` gives its features too.
    Screening has such a detector read first, and the encoder only what is left."""

    def numbers_and_features(self, parts: Sequence[str]) -> tuple[Scores, Features]:
        """`part_numbers`, and the encoder's features, shape (n, width), of n parts."""
        raise NotImplementedError

    # A detector that asks a server: it computes nothing here and holds no thread.

    waits: bool = False
    most_questions: int = 8
    """How many requests' questions are with the server at once."""
    timeout_s: float = 5.0
    """How long one question may take, the wait for its turn included."""

    turns_before: int = 0
    """Where it judges a text as the last turn of its conversation: the most characters of earlier
    turns that it reads. It is then asked about every turn, each with those before it."""

    async def ask(self, contents: Sequence[Asked]) -> Scores:
        """`part_numbers` of texts, or the scores of pictures or last turns, for a detector that
        waits.

        Called on the event loop. Raises whatever it likes: its policies' `on_error` decide; of a
        DetectorError the `cause` is counted.
        """
        raise NotImplementedError

    @property
    def asks_as(self) -> "Detector":
        """Whose places its questions take: its own, or those of the detector that it comes of by
        `about`."""
        return self

    # Several detectors as one.

    members: tuple["Detector", ...] = ()
    """Those whose items' scores it joins; it reads nothing itself."""

    def join(self, scores: Scores) -> Scores:
        """Scores of n items, shape (n,), from those of its m members, shape (m, n)."""
        raise NotImplementedError

    # Subjects that are asked about, such as a person who is to be forgotten.

    has_subjects: bool = False
    """Each sentence counts by itself, so that harmless ones beside it do not hide a question; and
    a turn that refers back to a subject, without naming it, counts as the turn that named it."""

    def subjects(
        self,
        texts: Sequence[str],  # noqa: ARG002 - the contract's names
        features: Features | None,  # noqa: ARG002
        threshold: float,  # noqa: ARG002
    ) -> tuple[int, ...]:
        """The subjects that some of the texts reach `threshold` for, by number, ascending."""
        return ()

    def names_of(self, subjects: Sequence[int]) -> tuple[str, ...]:  # noqa: ARG002
        """The names of subjects, for the operator."""
        return ()

    # Change while it serves.

    changes: bool = False
    """Whether `current` may give another state with every call."""

    def current(self) -> "Detector":
        """The present state, which never changes: a request is judged by one from end to end."""
        return self

    def listen(self, listener: Listener) -> None:
        """Have `listener` told of the parts in service, now and whenever it was looked."""
