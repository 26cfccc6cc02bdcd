"""How far a device's numbers are from the processor's, and how long a pass takes on it.

    python -m lab.performance.devices FOLDER --device openvino

FOLDER is an artifact with a model: an encoder, or a detector with one of its own. Needs a build of
ONNX Runtime that has the device's provider.
"""

import random
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import get_args

import numpy as np

from guard.artifacts.folder import read
from guard.encoders.devices import Device
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.settings import DeviceName
from lab.performance.prompts import text

TOKENS = (8, 16, 64, 200, 400)
TEXTS = 12
ROUNDS = 9


def prompts(tokens: int) -> list[str]:
    """Texts of so many tokens, about, the same with every run."""
    generator = random.Random(tokens)
    return [text(generator, tokens) for _ in range(TEXTS)]


def drift(one: OnnxEncoder, other: OnnxEncoder, texts: Sequence[str]) -> float:
    """The largest difference between any two numbers of the first outputs, shape (n, width)."""
    return float(np.abs(one.encode(texts) - other.encode(texts)).max())


def compare(
    one: Callable[[], object], other: Callable[[], object], clock: Callable[[], float]
) -> float:
    """How long the second takes, as a multiple of the first; they take turns."""

    def seconds(work: Callable[[], object]) -> float:
        began = clock()
        work()
        return clock() - began

    return median(seconds(other) / seconds(one) for _ in range(ROUNDS))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=get_args(DeviceName), default="openvino")
    options = parser.parse_args(arguments)
    artifact = read(options.folder)
    here, there = OnnxEncoder(artifact), OnnxEncoder(artifact, device=Device(options.device))
    sys.stdout.write("tokens  drift      CPU time  wall time\n")
    for tokens in TOKENS:
        texts = prompts(tokens)
        far = drift(here, there, texts)
        passes = partial(here.encode, texts), partial(there.encode, texts)
        ratios = [compare(*passes, clock) for clock in (process_time, perf_counter)]
        sys.stdout.write(f"{tokens:6}  {far:.2e}  {ratios[0]:8.2f}  {ratios[1]:9.2f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
