"""Features of all parts of a training, piece by piece as serving sees them, and rows to learn from.

Everything that measures takes the highest score over a prompt's pieces; learning takes a few pieces
of each prompt, so that a long prompt does not count as often as it has windows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.features import FeatureCache
from classifiers.malicious.data.prompt_parts import TrainingPrompts
from classifiers.malicious.data.served_pieces import PieceFeatures, encode_pieces, highest
from classifiers.malicious.data.training_set import LabelledFeatures, TrainingSet
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.detector import Encoder, Features, Scores

Rows = NDArray[np.int_]
Prompts = tuple[LabelledPrompt, ...]
PIECES = 3
"""At most, of each prompt, to learn from."""


@dataclass(frozen=True, slots=True)
class Part:
    """Prompts of one use and the features of their pieces."""

    prompts: Prompts
    pieces: PieceFeatures

    def highest(self, piece_scores: Scores) -> Scores:
        """Each prompt's highest score, shape (prompts,)."""
        return highest(piece_scores, self.pieces.owner_index, len(self.prompts))

    def rows(self) -> Rows:
        """At most PIECES pieces of each prompt: its first, and others evenly spread over it."""
        owners = self.pieces.owner_index
        # Pieces of a prompt follow each other: a new owner is the first piece of the next prompt.
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        counts = np.diff(starts, append=len(owners))
        chosen = [
            start + np.unique(np.linspace(0, count - 1, min(PIECES, count)).astype(int))
            for start, count in zip(starts, counts, strict=True)
        ]
        return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int_)


@dataclass(frozen=True, slots=True)
class EncodedPrompts:
    """The parts of a training by name."""

    parts: Mapping[str, Part]

    def training_set(self) -> TrainingSet:
        """What the modes learn from."""
        traffic = self.parts["unlabelled"]
        return TrainingSet(
            unlabelled=traffic.pieces.features[traffic.rows()],
            trusted_benign=self._features("trusted_benign"),
            malicious_seeds=self._features("malicious_seeds"),
            generated=self._labelled("generated"),
            validation=self._labelled("selection"),
            labelled=self._labelled("labelled"),
        )

    def unlabelled_rows(self, prompts: Rows) -> Rows:
        """The rows of `training_set().unlabelled` that belong to these unlabelled prompts."""
        traffic = self.parts["unlabelled"]
        owners = traffic.pieces.owner_index[traffic.rows()]
        return np.flatnonzero(np.isin(owners, prompts))

    def _features(self, name: str) -> Features | None:
        part = self.parts[name]
        return part.pieces.features[part.rows()] if part.prompts else None

    def _labelled(self, name: str) -> LabelledFeatures | None:
        part = self.parts[name]
        if not part.prompts:
            return None
        rows = part.rows()
        owners = [part.prompts[owner] for owner in part.pieces.owner_index[rows]]
        return LabelledFeatures(
            part.pieces.features[rows],
            np.array([prompt.label == "malicious" for prompt in owners], dtype=np.int_),
            tuple(prompt.source for prompt in owners),
        )


def encode_prompts(
    prompts: TrainingPrompts,
    encoder: Encoder,
    cache: FeatureCache | None = None,
    *,
    progress: bool = False,
) -> EncodedPrompts:
    """Encode every part; with `progress`, a bar for each on standard error."""
    parts = {
        name: Part(
            members,
            encode_pieces(members, encoder, cache, label=f"encoding {name}" if progress else None),
        )
        for name, members in prompts.parts.items()
    }
    return EncodedPrompts(parts)


def labels_of(prompts: Prompts) -> Rows:
    """1 for malicious, else 0, shape (n,)."""
    return np.array([prompt.label == "malicious" for prompt in prompts], dtype=np.int_)
