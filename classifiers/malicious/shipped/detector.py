"""Reads and writes the shipped detector's files; builds its artifact in under a minute.

A tuned matrix is stored as its difference from the pretrained one, in eight bits with a scale for
each row: tuning moves weights little, so this is more exact than half precision of the weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from classifiers.encoder.packed import unpack_encoder
from classifiers.encoder.recipe import Precision
from classifiers.malicious.fine_tuning.artifact import (
    HeldOutFacts,
    TextModel,
    first_stage_tensors,
    write_text_model,
)
from classifiers.malicious.fine_tuning.first_stage import FirstStageModel
from guard.artifacts.folder import Artifact
from guard.detectors.calibration import BENIGN, MALICIOUS, Calibration
from guard.detectors.malicious import first_stage
from guard.detectors.malicious.text import MIXING, TABLE
from guard.detectors.stored_thresholds import read_thresholds
from guard.terms.detector import WindowSize
from guard.terms.errors import ConfigError

DELTA, FACTS = "delta.safetensors", "facts.json"
PACKAGE = "classifiers.malicious.shipped"
TOWER, STEPS, SCALE = "tower.", "steps.", "scale."
NAME = "ecoguard-malicious"

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Tensors = Mapping[str, NDArray[np.generic]]


def build_shipped(
    out: Path,
    *,
    precision: Precision = "fp32",
    windows: Sequence[WindowSize] = (),
    sentences: bool = True,
    sentence_margin: float | None = None,
    cascade: bool = True,
    source: Path | None = None,
    shipped: Path | None = None,
) -> Artifact:
    """The shipped detector as an artifact of kind `malicious-text` in the folder `out`.

    `windows` and `sentence_margin`, the log odds by which sentences count less, take the place of
    those that the thresholds and the figures were measured with; without `sentences` none are read,
    and without `cascade` the model reads everything.
    `shipped` is the folder of the detector's files, without it what is installed; `source` the
    folder of its encoder, without it the packed one beside them.
    Raises ConfigError where a file is missing.
    """
    folder = shipped or files(PACKAGE)
    facts = orjson.loads(_bytes(folder, FACTS))
    tensors = _tensors(folder)
    held_out = HeldOutFacts(
        thresholds=read_thresholds(facts["thresholds"][precision]),
        calibration=Calibration(
            tensors[BENIGN].astype(np.float32), tensors[MALICIOUS].astype(np.float32)
        ),
        metrics=facts["metrics"],
        report=facts["report"],
        data=facts["data"],
    )
    windows = windows or tuple(WindowSize(*size) for size in facts["windows"])
    margin = facts["sentence_margin"] if sentence_margin is None else sentence_margin
    with TemporaryDirectory(prefix="ecoguard-shipped-") as scratch:
        source = source or unpack_encoder(folder, Path(scratch))
        model = replace(
            _model(tensors, source, facts),
            windows=windows,
            sentence_margin=margin if sentences else None,
            first_stage=_first_stage(tensors) if cascade else None,
        )
        return write_text_model(
            *(out, model, held_out),
            source=source,
            precision=precision,
            name=NAME,
            max_tokens=int(facts["max_tokens"]),
        )


def save_shipped(
    folder: Path, model: TextModel, calibration: Calibration, facts: Mapping[str, Any]
) -> None:
    """Write what tuning gave and what was measured into `folder`.

    `facts` are `frozen_layers`, `anchor_layer`, `segment` (tokens; 0: none), `max_tokens` of a
    window, `windows` (characters and overlap of each size), `sentence_margin` (log odds; None:
    sentences are not read), `ngram_words`, `thresholds` by precision, as a manifest holds them,
    `metrics`, `report` and `data`. Tables are stored in half precision.
    """
    from safetensors.numpy import save

    tensors = _packed(model.tower)
    tensors[MIXING] = model.mixing
    if model.table is not None:
        tensors[TABLE] = model.table.astype(np.float16)
    if model.first_stage is not None:
        tensors |= first_stage_tensors(model.first_stage)
        tensors[first_stage.TABLE] = tensors[first_stage.TABLE].astype(np.float16)
    tensors |= {BENIGN: calibration.benign, MALICIOUS: calibration.malicious}
    folder.mkdir(parents=True, exist_ok=True)
    content = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    (folder / DELTA).write_bytes(content)
    (folder / FACTS).write_bytes(orjson.dumps(dict(facts), option=orjson.OPT_INDENT_2) + b"\n")


def _model(tensors: Tensors, source: Path, facts: Mapping[str, Any]) -> TextModel:
    import torch

    from classifiers.malicious.fine_tuning.tower import load_tower

    layers = int(facts["frozen_layers"]), int(facts["segment"]), facts["anchor_layer"]
    tower = load_tower(source, *layers)
    tower.apply_delta({n: torch.from_numpy(t) for n, t in _unpacked(tensors, tower).items()})
    table = tensors[TABLE].astype(np.float32) if TABLE in tensors else None
    mixing = tensors[MIXING].astype(np.float32)
    return TextModel(tower.eval(), table, mixing, ngram_words=int(facts["ngram_words"]))


def _first_stage(tensors: Tensors) -> FirstStageModel | None:
    if first_stage.TABLE not in tensors:
        return None
    bias, mark = tensors[first_stage.MARK].tolist()
    return FirstStageModel(tensors[first_stage.TABLE].astype(np.float32), bias, mark)


def _packed(tower: "Tower") -> dict[str, NDArray[np.generic]]:
    found: dict[str, NDArray[np.generic]] = {}
    for name, tensor in tower.delta().items():
        base = _pretrained(tower, name)
        if base is None:
            found[TOWER + name] = tensor.numpy()
            continue
        change = tensor.numpy() - base
        scale = np.maximum(np.abs(change).max(axis=1, keepdims=True), 1e-12) / 127
        found[SCALE + name] = scale.astype(np.float32)
        found[STEPS + name] = np.rint(change / scale).astype(np.int8)
    return found


def _unpacked(tensors: Tensors, tower: "Tower") -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    for name, tensor in tensors.items():
        if name.startswith(TOWER):
            found[name[len(TOWER) :]] = tensor.astype(np.float32)
        elif name.startswith(STEPS):
            own = name[len(STEPS) :]
            base = _pretrained(tower, own)
            if base is None:
                raise ConfigError(f"{PACKAGE}: {DELTA}: {name}: not a tuned matrix")
            change = tensor.astype(np.float32) * tensors[SCALE + own].astype(np.float32)
            found[own] = (base + change).astype(np.float32)
    return found


def _pretrained(tower: "Tower", name: str) -> NDArray[np.float32] | None:
    """The pretrained matrix that a tuned one began as; None for vectors and heads."""
    if not name.startswith("upper."):
        return None
    layer, own = name.removeprefix("upper.").split(".", 1)
    state = tower.backbone.encoder.layer[tower.frozen + int(layer)].state_dict()
    tensor: NDArray[np.float32] = state[own].numpy()
    return tensor if tensor.ndim == 2 else None


def _tensors(folder: Traversable) -> Tensors:
    from safetensors.numpy import load

    tensors: Tensors = load(_bytes(folder, DELTA))
    return tensors


def _bytes(folder: Traversable, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{PACKAGE}: {name} is not part of this installation") from None
