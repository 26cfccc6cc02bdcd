"""Finished fits on disk, so that an interrupted training goes on where it stopped.

The fits of a training stand in one file, in a folder whose name is the key of everything the
results depend on: recipe, encoder and data. It holds no prompt.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.runs.digests import digest_of
from classifiers.runs.kept_work import KeptWork

FILE = "fits.sqlite"


@dataclass(frozen=True, slots=True)
class KeptFit:
    """What fitting gave: float32 tensors and facts that JSON can hold."""

    tensors: Mapping[str, NDArray[np.float32]]
    facts: Mapping[str, JsonValue]


def fit_key(parts: Mapping[str, JsonValue]) -> str:
    """The name of the folder of a training: 24 hex digits over all that decides its result."""
    return digest_of(parts)[:24]


class FitFolder:
    """The fits of one training."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / key
        self._key = key

    def run(self, name: str, work: Callable[[], KeptFit]) -> KeptFit:
        """The stored fit `name`, or that of `work`, which is then stored.

        Raises ConfigError naming a file that cannot be read.
        """
        from safetensors.numpy import load, save

        tensors, facts = f"{name}/tensors", f"{name}/facts"
        with KeptWork(self.folder / FILE, {"training": self._key}) as kept:
            found = kept.find_all([tensors, facts])
            if found:
                return KeptFit(load(found[tensors]), orjson.loads(found[facts]))
            fit = work()
            whole = {name: np.ascontiguousarray(tensor) for name, tensor in fit.tensors.items()}
            kept.keep({tensors: save(whole), facts: orjson.dumps(dict(fit.facts))})
        return fit
