"""Reads labelled prompts through Hugging Face's `datasets`: the hub, its cache, or a saved folder.

Part of `classifiers.prompts.sources`, which names the form: `hf:NAME[@REVISION]:SPLIT[:COLUMN]`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.rows import COLUMNS, MESSAGES, TEXT, Row, labelled_prompt
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from datasets import Dataset

PREFIX = "hf:"
SAVED_ONE, SAVED_SPLITS = "state.json", "dataset_dict.json"


@dataclass(frozen=True, slots=True)
class DatasetName:
    """A data set's name on the hub, or its folder, with revision, split and text column."""

    name: str
    split: str
    revision: str | None = None
    column: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `hf:NAME[@REVISION]:SPLIT[:COLUMN]`; a folder's name may hold an @."""
        name, *rest = text.removeprefix(PREFIX).split(":")
        if not name or not 1 <= len(rest) <= 2 or not all(rest):
            raise ConfigError(f"{text}: expected {PREFIX}NAME[@REVISION]:SPLIT[:COLUMN]")
        column = rest[1] if len(rest) == 2 else None
        if Path(name).is_dir():
            return cls(name, rest[0], None, column)
        name, at, revision = name.partition("@")
        if not name or (at and not revision):
            raise ConfigError(f"{text}: expected a revision after @")
        return cls(name, rest[0], revision or None, column)


def read_dataset(source: str) -> Iterator[LabelledPrompt]:
    """The prompts of one split; ConfigError names the source, and row and field where it can."""
    chosen = DatasetName.parse(source)
    dataset = _open(source, chosen)
    column = chosen.column
    if column is not None and column not in dataset.column_names:
        raise ConfigError(f"{source}: no column {column} (has: {', '.join(dataset.column_names)})")
    if column is None and not {TEXT, MESSAGES} & set(dataset.column_names):
        raise ConfigError(f"{source}: expected a column {TEXT} or {MESSAGES}, or its name")
    wanted = {*COLUMNS, column} if column is None else {*COLUMNS[2:], column}
    dataset = dataset.select_columns([name for name in dataset.column_names if name in wanted])
    names = _label_names(dataset)
    home = Path(chosen.name).name
    for number, values in enumerate(dataset, start=1):
        if names is not None and values["label"] is not None:  # -1 stands for no label
            values["label"] = names[values["label"]] if values["label"] >= 0 else None
        yield labelled_prompt(Row(f"{source}: row {number}", values), home, column)


def _label_names(dataset: "Dataset") -> list[str] | None:
    """What the numbers in the column `label` stand for, where the data set says so."""
    from datasets import ClassLabel

    feature: Any = dataset.features.get("label")
    return list(feature.names) if isinstance(feature, ClassLabel) else None


def _open(source: str, chosen: DatasetName) -> "Dataset":
    import datasets

    folder = Path(chosen.name)
    try:
        if (folder / SAVED_SPLITS).is_file():
            return datasets.load_from_disk(folder)[chosen.split]
        if (folder / SAVED_ONE).is_file():
            return _only_split(source, chosen.split, datasets.load_from_disk(folder))
        return datasets.load_dataset(chosen.name, split=chosen.split, revision=chosen.revision)
    except ConfigError:
        raise
    except Exception as error:  # the library raises classes of its own, of others and KeyErrors
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{source}: {type(error).__name__}: {reason:.300}") from error


def _only_split(source: str, split: str, dataset: "Dataset") -> "Dataset":
    if dataset.split is not None and str(dataset.split) != split:
        raise ConfigError(f"{source}: the folder holds the split {dataset.split} alone")
    return dataset
