"""The self-contained classifier of malicious prompts: its own fine-tuned graph and tokenizer.

Trained by `classifiers.malicious.fine_tuning`; reads texts, not the shared encoder's features.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import JsonValue

from guard.artifacts.folder import Artifact, read
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.attackers import ATTACKERS
from guard.detectors.malicious.first_stage import MARK, FirstStage
from guard.detectors.malicious.lexical import LexicalTable
from guard.detectors.malicious.ngrams import MOST_WORDS
from guard.detectors.sentences import sentences
from guard.detectors.stored_thresholds import stored_thresholds
from guard.detectors.weights import Array, Weights, logistic
from guard.encoders.devices import CPU, Device
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.detector import WINDOWS, Detector, Encoder, Features, Scores, WindowSize
from guard.terms.thresholds import Thresholds

KIND = "malicious-text"
TABLE = "lexical.weight"
"""A weight per n-gram bucket, (buckets,), buckets a power of two."""
SIZES = "windows"
"""Of the recipe: the windows to read, [characters, overlap] each; WINDOWS where it is missing."""
MOST_SIZES = 3
LONGEST_NGRAM = 8
MARGIN = "sentence_margin"
"""Of the recipe: log odds that a sentence needs more than a window; sentences are read by
themselves where it is there."""
MOST_MARGIN = 10.0
FEATURES = "features"
"""Of the recipe: that of the encoder whose features the graph gives beside its logit, and the name
of that output."""
NGRAM_WORDS = "ngram_words"
"""Of the recipe: words of the lexical table's longest n-grams; MOST_WORDS where it is missing."""
MIXING = "mixing"
"""(3,): weight of the tower's logit, of the lexical logit, and a bias."""


class MaliciousTextClassifier(Detector):
    """Score = logistic of the tower's logit, mixed with the lexical table's where there is one.
    Where there is a first stage, what it does not pass has the score that it estimates.

    Reads at most `window_tokens` tokens of a text, so pieces are cut by `windows` first. Safe to
    share between threads.
    """

    authors = ATTACKERS

    def __init__(
        self,
        tower: OnnxEncoder,
        *,
        threshold: float,
        thresholds: Thresholds | None = None,
        lexical: LexicalTable | None = None,
        mixing: Array | None = None,
        calibration: Calibration | None = None,
        version: str = "",
        window_sizes: tuple[WindowSize, ...] = WINDOWS,
        sentence_margin: float | None = None,
        features_of: str | None = None,
        first_stage: FirstStage | None = None,
    ) -> None:
        """`tower` gives one number per text: the log odds of malicious. `version` is the
        artifact's digest; `window_sizes` are the windows that the threshold was set on. With a
        `sentence_margin` the sentences of a text count too, each so many log odds less."""
        self._margin = sentence_margin
        self.features_of = features_of
        self.window_sizes = window_sizes
        self.threshold = threshold
        self.thresholds = thresholds
        self.calibration: Calibration | None = calibration
        self.version = version
        self.window_tokens: int = tower.window_tokens
        self._tower = tower
        self._first_stage = first_stage
        self._lexical = lexical
        self._mixing = np.array([1, 1, 0], np.float32) if mixing is None else mixing

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Self:
        """The classifier in an artifact folder; ArtifactError names what is wrong with it."""
        return cls.from_artifact(read(folder, KIND), threads=threads)

    @classmethod
    def from_artifact(
        cls,
        artifact: Artifact,
        *,
        encoder: Encoder | None = None,
        threads: int = 1,
        device: Device = CPU,
    ) -> Self:
        """The classifier in a verified artifact; `encoder` is the one in service."""
        thresholds = stored_thresholds(artifact)
        tower = OnnxEncoder(artifact, threads, device)
        if tower.width != 1:
            raise artifact.fail("recipe.width", f"expected 1 logit per text, found {tower.width}")
        weights = Weights(artifact)
        mixing = weights.take(MIXING, 3)
        table = _table(weights)
        calibration = Calibration.from_weights(weights)
        first_stage = _first_stage(weights, thresholds)
        weights.finish()
        if FEATURES in artifact.manifest.recipe and FEATURES not in tower.output_names[1:]:
            raise artifact.fail(f"recipe.{FEATURES}", "the graph has no such output")
        return cls(
            tower,
            threshold=thresholds.lowest,
            thresholds=thresholds if thresholds.vary else None,
            lexical=table,
            mixing=mixing,
            calibration=calibration,
            version=artifact.manifest.digest,
            window_sizes=_sizes(artifact),
            sentence_margin=_margin(artifact),
            features_of=_features_of(artifact, encoder),
            first_stage=first_stage,
        )

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        """Character ranges that cover `text`, at most `size` tokens each, cut between words."""
        return self._tower.windows(text, size, stride)

    def score(self, texts: Sequence[str], features: Features | None = None) -> Scores:  # noqa: ARG002
        """Scores in [0, 1], shape (n,), of n texts; features are not read."""
        return logistic(self.logits(texts))

    def logits(self, texts: Sequence[str]) -> Scores:
        """Log odds of malicious, shape (n,): the highest of a text and its sentences."""
        parts = [self.parts(text) for text in texts]
        distinct = list(dict.fromkeys(part for own in parts for part in own))
        found = dict(zip(distinct, self.part_numbers(distinct).tolist(), strict=True))
        highest = [self._highest([found[part] for part in own]) for own in parts]
        return np.array(highest, dtype=np.float32)

    def parts(self, text: str) -> tuple[str, ...]:
        """The text, and its sentences where those are read by themselves."""
        said = () if self._margin is None else sentences(text)
        return tuple(dict.fromkeys((text, *said)))

    def score_of_parts(self, numbers: Sequence[float]) -> float:
        """The score of a text by the log odds of its parts, the text's own first."""
        return float(logistic(np.array([self._highest(numbers)], dtype=np.float32))[0])

    def _highest(self, numbers: Sequence[float]) -> float:
        return max([numbers[0], *(number - (self._margin or 0) for number in numbers[1:])])

    def part_numbers(self, parts: Sequence[str], features: Features | None = None) -> Scores:  # noqa: ARG002
        """Log odds of malicious, shape (n,), of each of n parts as it stands."""
        if self._first_stage is None:
            return self._mixed(parts, self._tower.encode(parts))
        numbers = self._first_stage.log_odds(parts)
        passes = self._first_stage.passes(numbers)
        read = [part for part, passed in zip(parts, passes.tolist(), strict=True) if passed]
        if read:
            numbers[passes] = self._mixed(read, self._tower.encode(read))
        return numbers

    def numbers_and_features(self, parts: Sequence[str]) -> tuple[Scores, Features]:
        """Log odds, and the features of the encoder that was trained on, of n > 0 parts: all of
        them are read, as whoever wants the features must have them."""
        outputs = self._tower.outputs(parts)
        return self._mixed(parts, outputs[0]), outputs[self._tower.output_names.index(FEATURES)]

    def _mixed(self, parts: Sequence[str], judged: Features) -> Scores:
        """The tower's logits (n, 1) mixed with the lexical table's."""
        if not parts:
            return np.zeros(0, dtype=np.float32)
        tower, lexical, bias = self._mixing
        logits = tower * judged[:, 0] + bias
        if self._lexical is not None:
            logits = logits + lexical * np.array(
                [self._lexical.logit(part) for part in parts], dtype=np.float32
            )
        return np.asarray(logits, dtype=np.float32)


def _features_of(artifact: Artifact, encoder: Encoder | None) -> str | None:
    """The encoder in service, if the graph gives its features: made by the same recipe."""
    made = artifact.manifest.recipe.get(FEATURES)
    return encoder.digest if encoder and made is not None and made == encoder.recipe else None


def _sizes(artifact: Artifact) -> tuple[WindowSize, ...]:
    if SIZES not in artifact.manifest.recipe:
        return WINDOWS
    listed = artifact.manifest.recipe[SIZES]
    found = [_size(entry) for entry in listed] if isinstance(listed, list) else []
    sizes = tuple(size for size in found if size is not None)
    if not 0 < len(sizes) == len(found) <= MOST_SIZES:
        raise artifact.fail(
            f"recipe.{SIZES}",
            f"expected 1 to {MOST_SIZES} of [characters, overlap], overlap at most half",
        )
    return tuple(sorted(sizes, reverse=True))


def _margin(artifact: Artifact) -> float | None:
    given = artifact.manifest.recipe.get(MARGIN)
    match given:
        case None:
            return None
        case bool():
            pass
        case int() | float() if 0 <= given <= MOST_MARGIN:
            return float(given)
    raise artifact.fail(f"recipe.{MARGIN}", f"expected a number from 0 to {MOST_MARGIN:g}")


def _size(entry: JsonValue) -> WindowSize | None:
    match entry:
        case [int(characters), int(overlap)] if characters >= 8 and 0 <= overlap * 2 <= characters:
            return WindowSize(characters, overlap)
    return None


def _table(weights: Weights) -> LexicalTable | None:
    if TABLE not in weights:
        return None
    try:
        return LexicalTable(weights.take(TABLE, None), _most_words(weights.artifact))
    except ValueError as error:
        raise weights.artifact.fail(f"tensors.{TABLE}", str(error)) from error


def _first_stage(weights: Weights, thresholds: Thresholds) -> FirstStage | None:
    """The artifact's first stage; what it does not pass must stay under every threshold."""
    found = FirstStage.from_weights(weights, _most_words(weights.artifact))
    if found is not None and logistic(np.array([found.mark]))[0] >= thresholds.least:
        raise weights.artifact.fail(f"tensors.{MARK}", "the pass mark is above a threshold")
    return found


def _most_words(artifact: Artifact) -> int:
    most = artifact.manifest.recipe.get(NGRAM_WORDS, MOST_WORDS)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= LONGEST_NGRAM:
        raise artifact.fail(f"recipe.{NGRAM_WORDS}", f"expected 1 to {LONGEST_NGRAM}, found {most}")
    return most
