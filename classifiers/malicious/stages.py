"""Results of finished stages on disk, so that an interrupted training goes on where it stopped.

A stage is a safetensors file in a folder whose name is the key of everything the result depends
on: recipe, encoder and data. It is written whole or not at all, and holds no prompt.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue

from guard.terms.errors import ConfigError

_FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage gave: float32 tensors and facts that JSON can hold."""

    tensors: Mapping[str, NDArray[np.float32]]
    facts: Mapping[str, JsonValue]


def stage_key(parts: Mapping[str, JsonValue]) -> str:
    """The name of the folder of a training: 24 hex digits over all that decides its result."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


class StageFolder:
    """The stages of one training."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / key

    def run(self, name: str, work: Callable[[], Stage]) -> Stage:
        """The stored result of stage `name`, or that of `work`, which is then stored.

        Raises ConfigError naming a file that cannot be read.
        """
        file = self.folder / f"{name}.safetensors"
        if file.exists():
            return _load(file)
        stage = work()
        _store(file, stage)
        return stage


def _load(file: Path) -> Stage:
    from safetensors import safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            facts = orjson.loads((opened.metadata() or {})[_FACTS])
            return Stage({name: opened.get_tensor(name) for name in opened.keys()}, facts)  # noqa: SIM118
    except Exception as error:  # safetensors raises its own class, OSErrors and KeyErrors
        raise ConfigError(f"{file}: not a readable stage; delete it") from error


def _store(file: Path, stage: Stage) -> None:
    from safetensors.numpy import save

    facts = orjson.dumps(dict(stage.facts)).decode()
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in stage.tensors.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(save(tensors, metadata={_FACTS: facts}))
    temporary.replace(file)
