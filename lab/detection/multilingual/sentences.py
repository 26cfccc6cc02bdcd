"""The sentences that examples are made of, all written for this project, and how they are drawn."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import numpy as np
import yaml

from classifiers.malicious.fine_tuning.composition import OWN
from classifiers.malicious.fine_tuning.examples import Example

T = TypeVar("T")
Rng = np.random.Generator
AGENTS, LANGUAGES, SENSITIVE = "agents", "languages", "sensitive"
SCENARIOS, TOPICS = "scenarios", "topics"


@cache
def read_sentences(name: str) -> Mapping[str, Any]:
    """The sentences of one of the files, as YAML has them."""
    file = files("lab.detection.multilingual").joinpath(f"{name}.yaml")
    document: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def pick(values: Sequence[T], rng: Rng) -> T:
    """One of the values, all as likely."""
    return values[int(rng.integers(len(values)))]


def several(values: Sequence[T], least: int, most: int, rng: Rng) -> list[T]:
    """From `least` to `most` draws, each of all values."""
    return [pick(values, rng) for _ in range(int(rng.integers(least, most + 1)))]


def fill(text: str, rng: Rng, *names: str) -> str:
    """The text with each `{name}` replaced by one of the agents' words of that name."""
    words = read_sentences(AGENTS)
    for name in names:
        while "{" + name + "}" in text:
            text = text.replace("{" + name + "}", pick(words[name], rng), 1)
    return text


def insert(lines: list[str], line: str, rng: Rng) -> None:
    """Put a line at any place among the lines."""
    lines.insert(int(rng.integers(len(lines) + 1)), line)


def shuffled(lines: Sequence[str], rng: Rng) -> list[str]:
    """The distinct lines in any order."""
    distinct = list(dict.fromkeys(lines))
    return [distinct[int(place)] for place in rng.permutation(len(distinct))]


def own_example(text: str, malicious: bool, group: str) -> Example:
    """An example that has no part from a prompt set."""
    return Example(text, malicious, f"{OWN}/{group}", frozenset({OWN}))
