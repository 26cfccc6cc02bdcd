"""Features of all parts of a training, piece by piece as serving sees them, and rows to learn from.

Everything that measures takes the highest score over a prompt's pieces; learning takes a few pieces
of each prompt, so that a long prompt does not count as often as it has windows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.features import FeatureCache, key_of
from classifiers.malicious.data.served_pieces import PieceFeatures, encode_pieces, highest
from classifiers.malicious.data.training_set import Block, LabelledFeatures, TrainingSet
from classifiers.malicious.inputs import TrainingPrompts
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.detector import Encoder, Features, Scores

Rows = NDArray[np.int_]
Prompts = tuple[LabelledPrompt, ...]
MEASURING = ("calibration", "malicious_calibration", "selection", "test")


@dataclass(frozen=True, slots=True)
class Part:
    """Prompts of one use and the features of their pieces."""

    prompts: Prompts
    pieces: PieceFeatures

    def highest(self, piece_scores: Scores) -> Scores:
        """Each prompt's highest score, shape (prompts,)."""
        return highest(piece_scores, self.pieces.owner_index, len(self.prompts))

    def rows(self, most: int) -> Rows:
        """At most `most` pieces of each prompt: its first, and others evenly spread over it."""
        owners = self.pieces.owner_index
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        counts = np.diff(starts, append=len(owners))
        chosen = [
            start + np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
            for start, count in zip(starts, counts, strict=True)
        ]
        return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int_)


@dataclass(frozen=True, slots=True)
class EncodedPrompts:
    """The parts of a training by name, and the layers that features consist of."""

    parts: Mapping[str, Part]
    blocks: tuple[Block, ...] = ()

    def training_set(self, most: int) -> TrainingSet:
        """What the modes learn from, at most `most` pieces of each prompt."""
        traffic = self.parts["unlabelled"]
        rows = traffic.rows(most)
        owners = [traffic.prompts[owner] for owner in traffic.pieces.owner_index[rows]]
        return TrainingSet(
            unlabelled=traffic.pieces.features[rows],
            ids=tuple(f"{key_of(p.text).hex()}.{row}" for row, p in zip(rows, owners, strict=True)),
            clients=tuple(prompt.client for prompt in owners),
            trusted_benign=self._features("trusted_benign", most),
            malicious_seeds=self._features("malicious_seeds", most),
            generated=self._labelled("generated", most),
            blocks=self.blocks,
            validation=self._labelled("selection", most),
            supervised=self._labelled("labelled", most),
        )

    def unlabelled_rows(self, prompts: Rows, most: int) -> Rows:
        """The rows of `training_set(most).unlabelled` that belong to these unlabelled prompts."""
        traffic = self.parts["unlabelled"]
        owners = traffic.pieces.owner_index[traffic.rows(most)]
        return np.flatnonzero(np.isin(owners, prompts))

    def _features(self, name: str, most: int) -> Features | None:
        part = self.parts[name]
        return part.pieces.features[part.rows(most)] if part.prompts else None

    def _labelled(self, name: str, most: int) -> LabelledFeatures | None:
        part = self.parts[name]
        if not part.prompts:
            return None
        rows = part.rows(most)
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
    blocks: tuple[Block, ...] = (),
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
    return EncodedPrompts(parts, blocks)


def labels_of(prompts: Prompts) -> Rows:
    """1 for malicious, else 0, shape (n,)."""
    return np.array([prompt.label == "malicious" for prompt in prompts], dtype=np.int_)
