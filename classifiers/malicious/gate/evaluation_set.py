"""The prompts that a new detector is compared on before promotion; none is ever learned from.

Benign prompts whose kind begins with `hard`, and generated twins, are hard ones: harmless
questions with safety words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.languages import guess_language
from classifiers.prompts.sources import read_labelled
from guard.terms.errors import ConfigError

Mask = NDArray[np.bool_]
Label = Literal["malicious", "benign"]
TWINS = "twins"


@dataclass(frozen=True, slots=True)
class GateRow:
    """One prompt of a gate set; `hard` marks benign prompts that look like attacks."""

    text: str
    label: Label
    kind: str = ""
    language: str = ""
    hard: bool = False


@dataclass(frozen=True, slots=True)
class GateSet:
    """Prompts of both classes."""

    rows: tuple[GateRow, ...]

    @property
    def texts(self) -> list[str]:
        """The prompts' texts."""
        return [row.text for row in self.rows]

    @property
    def malicious(self) -> Mask:
        """Which rows are attacks, shape (n,)."""
        return np.array([row.label == "malicious" for row in self.rows])

    @property
    def benign(self) -> Mask:
        """Which rows are ordinary benign prompts, shape (n,)."""
        return np.array([row.label == "benign" and not row.hard for row in self.rows])

    @property
    def hard_benign(self) -> Mask:
        """Which rows are hard benign prompts, shape (n,)."""
        return np.array([row.hard for row in self.rows])

    def chosen(self, mask: Mask) -> list[str]:
        """The texts of some rows."""
        return [self.rows[row].text for row in np.flatnonzero(mask)]


def gate_row(prompt: LabelledPrompt) -> GateRow:
    """A labelled prompt as the gate sees it; ValueError for one without a label."""
    if prompt.label == "unknown":
        raise ValueError("label: the gate needs labelled prompts")
    harmless = prompt.label == "benign"
    hard = harmless and (prompt.kind.startswith("hard") or prompt.source == TWINS)
    return GateRow(prompt.text, prompt.label, prompt.kind, guess_language(prompt.text), hard)


def read_gate_set(sources: Sequence[str]) -> GateSet:
    """The gate set in files or other sources of prompts (`prompt_sources`), each text once.

    Raises ConfigError naming the source of a prompt without label, or the class that is missing.
    """
    found: dict[str, GateRow] = {}
    for source in sources:
        for prompt in read_labelled(source):
            if prompt.label == "unknown":
                raise ConfigError(f"{source}: label: every prompt of a gate set needs one")
            found.setdefault(prompt.text, gate_row(prompt))
    gate_set = GateSet(tuple(found.values()))
    for label, mask in (("malicious", gate_set.malicious), ("benign", gate_set.benign)):
        if not mask.any():
            raise ConfigError(f"{', '.join(sources)}: the gate set has no {label} prompt")
    return gate_set
