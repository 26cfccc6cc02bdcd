"""Rows of JSON Lines: plain and packed, in order, with errors that name the place."""

import gzip
from pathlib import Path

import pytest
from pydantic import BaseModel

from classifiers.prompts.json_rows import read_json_rows
from guard.terms.errors import ConfigError


class Row(BaseModel):
    name: str
    parts: tuple[int, ...] = ()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rows_are_read_in_order_and_empty_lines_do_not_count(tmp_path: Path, end: bytes) -> None:
    content = end.join([b'{"name": "a\xe2\x80\xa8b", "parts": [1, 2]}', b"", b'{"name": "c"}', b""])
    (tmp_path / "rows.jsonl").write_bytes(content)
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(content))
    expected = (Row(name="a\u2028b", parts=(1, 2)), Row(name="c"))
    assert read_json_rows(tmp_path / "rows.jsonl", Row) == expected
    assert read_json_rows(tmp_path / "rows.jsonl.gz", Row) == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"name": "a"}\n{', "rows.json:2: Invalid JSON"),
        (b'{"name": "secret", "parts": ["x"]}', r"rows.json:1: parts\.0: "),
        (b"[]", "rows.json:1: Input should be an object"),
        (b" \n", "rows.json: holds no rows"),
    ],
)
def test_errors_name_the_place_and_no_content(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "rows.json").write_bytes(content)
    with pytest.raises(ConfigError, match=problem) as error:
        read_json_rows(tmp_path / "rows.json", Row)
    assert "secret" not in str(error.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: No such file"):
        read_json_rows(tmp_path / "none.json", Row)
    (tmp_path / "rows.json.gz").write_bytes(b"no gzip")
    with pytest.raises(ConfigError, match=r"rows\.json\.gz: Not a gzipped file"):
        read_json_rows(tmp_path / "rows.json.gz", Row)
