"""TOFU's evaluation sets, read from its own files (JSON Lines, also gzipped), in file order."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from classifiers.evaluation.extraction.targets import read_pairs
from classifiers.prompts.json_rows import read_json_rows
from guard.terms.errors import ConfigError

SetName = Literal["forget", "retain", "real_authors", "world_facts"]
SETS: tuple[SetName, ...] = get_args(SetName)
UTILITY_SETS: tuple[SetName, ...] = ("retain", "real_authors", "world_facts")
Size = Literal["01", "05", "10"]
OFFICIAL_ROWS = 300
"""TOFU's script takes the first 300 rows of each set (`ds_size`)."""


class TofuRow(BaseModel):
    """One question; `paraphrased_answer` is None in real authors and world facts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    paraphrased_answer: str | None = None
    perturbed_answer: tuple[str, ...] = Field(min_length=1)

    @property
    def correct(self) -> str:
        """The answer that truth ratios compare with the wrong ones."""
        return self.paraphrased_answer or self.answer


@dataclass(frozen=True, slots=True)
class TofuData:
    """The four sets of one size; `known` are answers about authors that are kept."""

    size: Size
    sets: Mapping[SetName, tuple[TofuRow, ...]]
    known: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A hash over all rows, in order."""
        digest = hashlib.sha256(self.size.encode())
        for name in SETS:
            for row in self.sets[name]:
                digest.update(row.model_dump_json().encode())
        return digest.hexdigest()


def read_tofu(folder: Path, size: Size, rows: int = OFFICIAL_ROWS) -> TofuData:
    """The sets in `folder`, each with its first `rows` rows (0: all).

    Raises ConfigError naming file and line.
    """
    files: dict[SetName, str] = {
        "forget": f"forget{size}_perturbed",
        "retain": "retain_perturbed",
        "real_authors": "real_authors_perturbed",
        "world_facts": "world_facts_perturbed",
    }
    most = rows or None
    sets = {name: read_rows(folder, file)[:most] for name, file in files.items()}
    retain = f"retain{100 - int(size):02d}"
    return TofuData(size, sets, tuple(row.answer for row in read_pairs(_find(folder, retain))))


def read_rows(folder: Path, name: str) -> tuple[TofuRow, ...]:
    """All rows of one perturbed set; ConfigError naming file and line."""
    return read_json_rows(_find(folder, name), TofuRow)


def read_questions(folder: Path, name: str) -> list[str]:
    """The questions of a plain set, such as `forget01` or `retain99`."""
    return [row.question for row in read_pairs(_find(folder, name))]


def _find(folder: Path, name: str) -> Path:
    for suffix in (".json", ".jsonl", ".json.gz", ".jsonl.gz"):
        if (file := folder / f"{name}{suffix}").is_file():
            return file
    raise ConfigError(f"{folder}: holds no {name}.json, .jsonl or either with .gz")
