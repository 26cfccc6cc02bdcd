"""Data sets as `datasets` saves them: splits, columns, class labels, and errors without a hub."""

from contextlib import suppress
from pathlib import Path

import datasets
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, NamedSplit, Value
from hypothesis import given
from hypothesis import strategies as st

from classifiers.prompts.hub_datasets import DatasetName
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.sources import read_labelled
from guard.terms.errors import ConfigError


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two splits, texts and conversations."""
    folder = tmp_path_factory.mktemp("hub") / "prompts"
    train = Dataset.from_list(
        [
            {"question": "one", "turns": [{"role": "user", "content": "1"}], "client": "k"},
            {"question": "two", "turns": [{"role": "user", "content": "2"}], "client": None},
        ]
    )
    test = Dataset.from_list([{"text": "three", "kind": "plain"}])
    DatasetDict({"train": train, "test": test}).save_to_disk(folder)
    return folder


def test_splits_and_columns(saved: Path) -> None:
    assert read_labelled(f"hf:{saved}:train:question") == [
        LabelledPrompt("one", "prompts", client="k"),
        LabelledPrompt("two", "prompts"),
    ]
    assert [p.text for p in read_labelled(f"hf:{saved}:train:turns")] == ["1", "2"]
    assert read_labelled(f"hf:{saved}:test") == [LabelledPrompt("three", "prompts", kind="plain")]


def test_class_labels_are_read_by_name(tmp_path: Path) -> None:
    """Whatever number stands for malicious."""
    features = Features(
        {"text": Value("string"), "label": ClassLabel(names=["malicious", "benign"])}
    )
    rows = [{"text": "a", "label": 0}, {"text": "b", "label": 1}, {"text": "c", "label": -1}]
    Dataset.from_list(rows, features=features).save_to_disk(tmp_path / "set")
    labels = [prompt.label for prompt in read_labelled(f"hf:{tmp_path / 'set'}:train")]
    assert labels == ["malicious", "benign", "unknown"]


def test_class_labels_of_other_names_are_refused(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["spam", "ham"])})
    Dataset.from_list([{"text": "a", "label": 0}], features=features).save_to_disk(tmp_path / "s")
    with pytest.raises(ConfigError, match=r"row 1: label: expected malicious, .* not 'spam'"):
        read_labelled(f"hf:{tmp_path / 's'}:train")


def test_a_single_split_is_known_by_its_name(tmp_path: Path) -> None:
    dataset = Dataset.from_list([{"text": "a"}], split=NamedSplit("valid"))
    dataset.save_to_disk(tmp_path / "set")
    assert len(read_labelled(f"hf:{tmp_path / 'set'}:valid")) == 1
    with pytest.raises(ConfigError, match="holds the split valid alone"):
        read_labelled(f"hf:{tmp_path / 'set'}:train")


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (":validation", r"KeyError: .*validation"),
        (":train", "expected a column text or messages, or its name"),
        (":train:prompt", r"no column prompt \(has: question, turns, client\)"),
        (":train:client", r"row 2: client: expected a non-empty string"),
        ("", r"expected hf:NAME\[@REVISION\]:SPLIT\[:COLUMN\]"),
        (":", r"expected hf:NAME"),
        (":a:b:c", r"expected hf:NAME"),
    ],
)
def test_errors_name_the_source(saved: Path, rest: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        read_labelled(f"hf:{saved}{rest}")
    assert str(raised.value).startswith(f"hf:{saved}{rest}: ")


def test_a_name_that_cannot_be_had_is_one_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(ConfigError, match=r"^hf:nobody/nothing@v1:train: \w+: .*nobody/nothing"):
        read_labelled("hf:nobody/nothing@v1:train")


names = st.from_regex(r"[a-z][\w.-]{0,8}(/[a-z][\w.-]{0,8})?", fullmatch=True)
parts = st.from_regex(r"[\w.-]{1,8}", fullmatch=True)


@given(names, parts, st.none() | parts, st.none() | parts)
def test_names_are_parsed(name: str, split: str, revision: str | None, column: str | None) -> None:
    text = f"hf:{name}" + (f"@{revision}" if revision else "") + f":{split}"
    text += f":{column}" if column else ""
    assert DatasetName.parse(text) == DatasetName(name, split, revision, column)


@given(st.text("ab@:/", max_size=12))
def test_any_name_is_parsed_or_refused(text: str) -> None:
    with suppress(ConfigError):
        parsed = DatasetName.parse(f"hf:{text}")
        assert parsed.name
        assert parsed.split
        assert parsed.column != ""
