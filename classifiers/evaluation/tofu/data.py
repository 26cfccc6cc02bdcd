"""TOFU's evaluation sets, read from its own files (JSON Lines, also gzipped), in file order."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guard.errors import ConfigError

SetName = Literal["forget", "retain", "real_authors", "world_facts"]
SETS: tuple[SetName, ...] = get_args(SetName)
UTILITY_SETS: tuple[SetName, ...] = ("retain", "real_authors", "world_facts")
Size = Literal["01", "05", "10"]
R = TypeVar("R", bound=BaseModel)
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


class _Answer(BaseModel):
    """A row of a set without wrong answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)


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
    return TofuData(size, sets, tuple(row.answer for row in _read(folder, retain, _Answer)))


def read_rows(folder: Path, name: str) -> tuple[TofuRow, ...]:
    """All rows of one perturbed set; ConfigError naming file and line."""
    return _read(folder, name, TofuRow)


def read_questions(folder: Path, name: str) -> list[str]:
    """The questions of a plain set, such as `forget01` or `retain99`."""
    return [row.question for row in _read(folder, name, _Answer)]


def _read(folder: Path, name: str, model: type[R]) -> tuple[R, ...]:
    file = _find(folder, name)
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError) as error:
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    found = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(model.model_validate(orjson.loads(line)))
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{file}:{number}: not JSON ({error.msg})") from error
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            key = ".".join(str(step) for step in problem["loc"])
            raise ConfigError(f"{file}:{number}: {key}: {problem['msg']}") from error
    if not found:
        raise ConfigError(f"{file}: holds no rows")
    return tuple(found)


def _find(folder: Path, name: str) -> Path:
    for suffix in (".json", ".jsonl", ".json.gz", ".jsonl.gz"):
        if (file := folder / f"{name}{suffix}").is_file():
            return file
    raise ConfigError(f"{folder}: holds no {name}.json, .jsonl or either with .gz")
