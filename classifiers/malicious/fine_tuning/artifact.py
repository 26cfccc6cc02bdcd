"""Writes a trained tower and lexical table as an artifact of kind `malicious-text`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.encoder.onnx_conversion import convert, quiet
from classifiers.encoder.recipe import Precision, Recipe, recipe_of
from classifiers.encoder.source import CONFIG, hash_source, read_object, read_tokenizer
from classifiers.malicious.fine_tuning.first_stage import FirstStageModel
from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import DataSource, draft
from guard.detectors.calibration import Calibration
from guard.detectors.malicious import first_stage
from guard.detectors.malicious.ngrams import MOST_WORDS
from guard.detectors.malicious.text import FEATURES, KIND, MARGIN, MIXING, NGRAM_WORDS, SIZES, TABLE
from guard.detectors.stored_thresholds import manifest_thresholds
from guard.encoders.onnx_encoder import MODEL
from guard.encoders.tokenizer import TOKENIZER
from guard.terms.detector import WINDOWS, WindowSize
from guard.terms.thresholds import Thresholds

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
LOGIT = "logit"
MAX_TOKENS = 256
"""Of a window in serving, special tokens included."""


@dataclass(frozen=True, slots=True)
class TextModel:
    """A trained model: tower, lexical table (None: none), how their logits are mixed (3,), which
    windows of a text it reads, by how many log odds its sentences count less (None: not), the words
    of the table's longest n-grams, and the first stage (None: the tower reads everything)."""

    tower: "Tower"
    table: Floats | None
    mixing: Floats
    windows: Sequence[WindowSize] = WINDOWS
    sentence_margin: float | None = None
    ngram_words: int = MOST_WORDS
    first_stage: FirstStageModel | None = None


@dataclass(frozen=True, slots=True)
class HeldOutFacts:
    """What held-out prompts decided and showed: thresholds, p-values, metrics, report."""

    thresholds: Thresholds
    calibration: Calibration
    metrics: Mapping[str, float] = field(default_factory=dict)
    report: Mapping[str, JsonValue] = field(default_factory=dict)
    data: Mapping[str, DataSource] = field(default_factory=dict)


def most_tokens(source: Path, wanted: int = MAX_TOKENS) -> int:
    """Tokens of a window that the encoder in `source` reads: those wanted, or fewer if it must."""
    positions = read_object(source / CONFIG).get("max_position_embeddings", wanted)
    return min(wanted, int(str(positions)))


def write_text_model(
    out: Path,
    model: TextModel,
    facts: HeldOutFacts,
    *,
    source: Path,
    precision: Precision,
    name: str,
    max_tokens: int = MAX_TOKENS,
) -> Artifact:
    """Export to the artifact folder `out`; `source` is the encoder's folder, `max_tokens` the most
    of a window that is read at once.

    Where the tower computes what that encoder's own export would give, the graph gives it too.
    """
    encoder = _recipe_of_features(model.tower.eval(), source, precision)
    with TemporaryDirectory(prefix="ecoguard-malicious-") as scratch, quiet():
        graph = _graph(model.tower, Path(scratch), precision, with_features=encoder is not None)
    recipe: dict[str, JsonValue] = {
        "source": hash_source(source),
        "precision": precision,
        "width": 1,
        "max_tokens": most_tokens(source, max_tokens),
        NGRAM_WORDS: model.ngram_words,
        SIZES: [list(size) for size in model.windows],
        # Dynamic quantisation scales activations over the whole batch (see OnnxEncoder.encode).
        "batched": precision == "fp32",
    }
    if model.sentence_margin is not None:
        recipe[MARGIN] = model.sentence_margin
    if encoder is not None:
        recipe[FEATURES] = encoder.recorded()
    manifest = draft(
        KIND,
        name,
        thresholds=dict(manifest_thresholds(facts.thresholds)),
        recipe=recipe,
        metrics=dict(facts.metrics),
        data=dict(facts.data),
    )
    tensors = {MIXING: np.asarray(model.mixing, np.float32), **facts.calibration.tensors()}
    if model.table is not None:
        tensors[TABLE] = np.asarray(model.table, np.float32)
    if model.first_stage is not None:
        tensors |= first_stage_tensors(model.first_stage)
    files = {MODEL: graph, TOKENIZER: read_tokenizer(source)}
    return write(out, manifest, tensors=tensors, files=files, report=dict(facts.report))


def first_stage_tensors(model: FirstStageModel) -> dict[str, Floats]:
    """A first stage as an artifact holds it."""
    ends = np.array([model.bias, model.mark], np.float32)
    return {first_stage.TABLE: np.asarray(model.table, np.float32), first_stage.MARK: ends}


def _recipe_of_features(tower: "Tower", source: Path, precision: Precision) -> Recipe | None:
    """The export of the encoder whose features the tower computes; None where it computes none
    that could be taken for an export's."""
    if precision != "fp32" or not tower.anchored or tower.anchor_layer is not None:
        return None
    recipe = recipe_of(source, precision, most_tokens(source))
    return recipe if recipe.pooling == "mean" else None


def _graph(tower: "Tower", scratch: Path, precision: Precision, *, with_features: bool) -> bytes:
    if not with_features:
        return convert(tower, scratch, precision, [LOGIT])
    from classifiers.malicious.fine_tuning.tower import TowerWithFeatures

    return convert(TowerWithFeatures(tower).eval(), scratch, precision, [LOGIT, FEATURES])
