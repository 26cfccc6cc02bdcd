"""EmbeddingTable: found by name, mapped, and refused with folder and field when unfit."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.corruption.embedding_table import TENSOR_NAMES, EmbeddingTable
from guard.terms.errors import ArtifactError
from tests.guard.corruption.checkpoints import (
    FLOAT_TYPES,
    LLAMA_TABLE,
    SPECIALS,
    random_rows,
    write_checkpoint,
    write_config,
)

TOKENS = 256 + len(SPECIALS)
BF16 = FLOAT_TYPES[0]


def write_raw(folder: Path, header: dict[str, Any], data: bytes) -> None:
    write_config(folder)
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def entry(dtype: str, shape: list[int], last: int) -> dict[str, Any]:
    return {LLAMA_TABLE: {"dtype": dtype, "shape": shape, "data_offsets": [0, last]}}


@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
@pytest.mark.parametrize("shards", [1, 3])
def test_rows_are_the_checkpoints_bit_for_bit(
    tmp_path: Path, dtype: np.dtype[Any], shards: int
) -> None:
    expected = random_rows(300, 8, dtype)
    table = EmbeddingTable.open(write_checkpoint(tmp_path, expected, shards=shards))
    ids = np.array([299, 0, 7, 7])
    rows = table.rows(ids)
    assert (table.width, table.vocabulary_size, table.dtype) == (8, 300, dtype)
    assert rows.dtype == dtype
    assert rows.tobytes() == expected[ids].tobytes()
    assert rows.flags.writeable
    assert not table.weights.flags.writeable


@pytest.mark.parametrize("name", TENSOR_NAMES)
def test_every_known_name_is_found(tmp_path: Path, name: str) -> None:
    expected = random_rows(4, 2, BF16)
    table = EmbeddingTable.open(write_checkpoint(tmp_path, expected, name))
    assert table.weights.tobytes() == expected.tobytes()


def test_an_unknown_name_can_be_given(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, random_rows(4, 2, BF16), "odd.table")
    with pytest.raises(ArtifactError, match="no token embedding table"):
        EmbeddingTable.open(tmp_path)
    assert EmbeddingTable.open(tmp_path, "odd.table").vocabulary_size == 4


def test_two_tables_are_refused(tmp_path: Path) -> None:
    wide = entry("BF16", [2, 1], 4)
    write_raw(tmp_path, {**wide, "wte.weight": wide[LLAMA_TABLE]}, bytes(4))
    with pytest.raises(ArtifactError, match="more than one token embedding table"):
        EmbeddingTable.open(tmp_path)


def test_no_rows_for_no_ids(tmp_path: Path) -> None:
    table = EmbeddingTable.open(write_checkpoint(tmp_path, random_rows(4, 2, BF16)))
    assert table.rows(np.array([], np.int64)).shape == (0, 2)


@pytest.mark.parametrize("token", [4, -1])
def test_an_id_outside_the_table_is_refused(tmp_path: Path, token: int) -> None:
    table = EmbeddingTable.open(write_checkpoint(tmp_path, random_rows(4, 2, BF16)))
    with pytest.raises(ArtifactError, match=r"token id .* 4 rows"):
        table.rows(np.array([0, token]))


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "gemma2"},
        {"model_type": "other", "architectures": ["Gemma3ForCausalLM"]},
        {"model_type": "some_vlm", "text_config": {"model_type": "gemma3_text"}},
        {"model_type": "minicpm", "scale_emb": 12},
        {"model_type": "xglm", "scale_embedding": True},
    ],
)
def test_architectures_that_scale_embeddings_are_refused(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    write_checkpoint(tmp_path, random_rows(4, 2, BF16))
    write_config(tmp_path, **config)
    with pytest.raises(ArtifactError, match=r"config\.json.*scales its token embeddings"):
        EmbeddingTable.open(tmp_path)


@pytest.mark.parametrize("config", [{"scale_emb": 1.0}, {"scale_embedding": False}])
def test_a_scale_of_one_is_none(tmp_path: Path, config: dict[str, Any]) -> None:
    write_checkpoint(tmp_path, random_rows(4, 2, BF16))
    write_config(tmp_path, **config)
    assert EmbeddingTable.open(tmp_path).vocabulary_size == 4


@pytest.mark.parametrize("field", ["hidden_size", "n_embd", "d_model"])
def test_a_table_narrower_than_the_hidden_size_is_refused(tmp_path: Path, field: str) -> None:
    write_checkpoint(tmp_path, random_rows(4, 2, BF16))
    write_config(tmp_path, **{field: 3})
    with pytest.raises(ArtifactError, match=f"{field} is 3, .* 2 columns"):
        EmbeddingTable.open(tmp_path)


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (entry("F8_E4M3", [2, 2], 4), bytes(4), "dtype F8_E4M3 cannot be read"),
        (entry("BF16", [4], 8), bytes(8), r"shape \[4\] does not fit"),
        (entry("BF16", [2, 2], 6), bytes(6), r"shape \[2, 2\] does not fit"),
        (entry("BF16", [2, 2], 8), bytes(3), "too short"),
        ({LLAMA_TABLE: {"dtype": "BF16"}}, b"", "malformed entry"),
        ({LLAMA_TABLE: 3}, b"", "malformed entry"),
    ],
)
def test_a_damaged_or_unreadable_table_is_refused(
    tmp_path: Path, header: dict[str, Any], data: bytes, message: str
) -> None:
    write_raw(tmp_path, header, data)
    with pytest.raises(ArtifactError, match=message):
        EmbeddingTable.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"1234567", b"\xff" * 8, struct.pack("<Q", 2) + b"[]"])
def test_what_is_not_safetensors_is_refused(tmp_path: Path, content: bytes) -> None:
    write_config(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        EmbeddingTable.open(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"config\.json: cannot be read"):
        EmbeddingTable.open(tmp_path / "nowhere")
    write_config(tmp_path)
    with pytest.raises(ArtifactError, match=r"model\.safetensors: cannot be read"):
        EmbeddingTable.open(tmp_path)


@pytest.mark.parametrize(("content", "message"), [("[]", "not a JSON object"), ("{", "not JSON")])
def test_a_broken_configuration_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ArtifactError, match=rf"config\.json: {message}"):
        EmbeddingTable.open(tmp_path)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({}, "weight_map is missing"),
        ({"weight_map": {LLAMA_TABLE: "../secret.safetensors"}}, "points outside"),
        ({"weight_map": {LLAMA_TABLE: "lost.safetensors"}}, "lost.safetensors: cannot be read"),
        ({"weight_map": {"wte.weight": "model.safetensors"}}, "has no tensor wte.weight"),
    ],
)
def test_a_wrong_shard_index_is_refused(
    tmp_path: Path, index: dict[str, Any], message: str
) -> None:
    write_checkpoint(tmp_path, random_rows(4, 2, BF16))
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ArtifactError, match=message):
        EmbeddingTable.open(tmp_path)
