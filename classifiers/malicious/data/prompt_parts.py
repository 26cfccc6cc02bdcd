"""The prompts of a training by their use: to learn from, to choose by, to measure on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.malicious.data.held_out import Prompts
from classifiers.prompts.files import Prompt, fingerprint
from guard.artifacts.manifest import DataSource

Rows = NDArray[np.int_]

TEACHING = ("trusted_benign", "malicious_seeds", "labelled", "generated", "unlabelled")
MEASURING = ("calibration", "malicious_calibration", "selection", "test")
"""Nothing is learned from these."""


@dataclass(frozen=True, slots=True)
class TrainingPrompts:
    """Prompts by what they are used for; no two are near duplicates of each other.

    `calibration` (benign) sets the threshold, `malicious_calibration` the other p-value;
    `selection` chooses and `test` measures: of these four nothing is learned. `shards` are the rows
    of `unlabelled` that each voting member learns from.
    """

    unlabelled: Prompts
    trusted_benign: Prompts
    malicious_seeds: Prompts
    labelled: Prompts
    generated: Prompts
    calibration: Prompts
    malicious_calibration: Prompts
    selection: Prompts
    test: Prompts
    shards: tuple[Rows, ...]
    dropped: Mapping[str, int]

    @property
    def parts(self) -> dict[str, Prompts]:
        """Every part by name."""
        return {name: getattr(self, name) for name in (*TEACHING, *MEASURING)}

    def data(self) -> dict[str, DataSource]:
        """What the manifest keeps of each part that is not empty."""
        return {name: _fingerprint(prompts) for name, prompts in self.parts.items() if prompts}

    def counts(self) -> dict[str, JsonValue]:
        """Rows of each part, and how many were left out, and why."""
        return {
            **{name: len(prompts) for name, prompts in self.parts.items()},
            **{f"dropped_{reason}": rows for reason, rows in self.dropped.items()},
        }


def _fingerprint(prompts: Prompts) -> DataSource:
    """A hash over texts, and their number."""
    return fingerprint([Prompt(prompt.text, "") for prompt in prompts])
