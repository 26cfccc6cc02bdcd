"""Prompt files: every format, errors that name file and line, stable splits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.prompts.files import Prompt, dedupe, fingerprint, position, read_prompts, split
from guard.terms.errors import ConfigError

SHARES = {"fit": 0.7, "calibrate": 0.2, "test": 0.1}


def read(folder: Path, name: str, content: str) -> list[Prompt]:
    (folder / name).write_text(content, encoding="utf-8")
    return read_prompts(folder / name)


def test_json_lines(tmp_path: Path) -> None:
    rows = (
        '{"text": "one", "group": "g", "person": null}\n\n'
        '{"messages": [{"role": "system", "content": "no"}, {"role": "user", "content": "two"},'
        '{"role": "user", "content": [{"type": "text", "text": "three"}]}]}\r\n'
        '{"text": "four\\u2028five", "group": 7}'
    )
    assert read(tmp_path, "p.jsonl", rows) == [
        Prompt("one", "g"),
        Prompt("two\nthree", "two\nthree"),
        Prompt("four\u2028five", "7"),
    ]


def test_csv_with_quoted_line_breaks(tmp_path: Path) -> None:
    rows = 'id,text,group\n1,"one, and\ntwo",a\n2,three,\n'
    assert read(tmp_path, "p.csv", rows) == [Prompt("one, and\ntwo", "a"), Prompt("three", "three")]


def test_plain_lines_and_byte_order_mark(tmp_path: Path) -> None:
    assert read(tmp_path, "p.txt", "\ufeffone\r\n\n two \n") == [
        Prompt("one", "one"),
        Prompt(" two ", " two "),
    ]


BAD = {
    "not JSON": ("p.jsonl", '{"text": "a"}\n{"text": ', r"p.jsonl:2: not JSON"),
    "no object": ("p.jsonl", "[1]", r"p.jsonl:1: expected an object"),
    "neither": ("p.jsonl", '{"prompt": "a"}', r"p.jsonl:1: expected an object with either"),
    "both": ("p.jsonl", '{"text": "a", "messages": []}', r"p.jsonl:1: expected an object"),
    "not a string": ("p.jsonl", '{"text": 3}', r"p.jsonl:1: text: expected a non-empty"),
    "blank": ("p.jsonl", '{"text": "  "}', r"p.jsonl:1: text: expected a non-empty"),
    "group": ("p.jsonl", '{"text": "a", "group": []}', r"p.jsonl:1: group: expected a string"),
    "messages": ("p.jsonl", '{"messages": "a"}', r"p.jsonl:1: messages.0: expected a message"),
    "no user": ("p.jsonl", '{"messages": []}', r"p.jsonl:1: text: expected a non-empty"),
    "content": (
        "p.jsonl",
        '{"messages": [{"role": "user", "content": 3}]}',
        r"p.jsonl:1: messages.0.content: expected text",
    ),
    "no column": ("p.csv", "prompt\na\n", r"p.csv:1: expected a column named text"),
    "empty cell": ("p.csv", "text,group\na,b\n,c\n", r"p.csv:3: text: expected a non-empty"),
    "bad quoting": ("p.csv", 'text\n"a" b\n', r"p.csv:2: "),
    "empty": ("p.txt", "\n", r"p.txt: holds no prompts"),
    "too long": ("p.txt", "a" * 100_001, r"p.txt:1: text: longer than 100000"),
    "format": ("p.parquet", "x", r"p.parquet: expected a name ending in"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD.keys())
def test_errors_name_file_and_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, name, content)


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no.txt: No such file"):
        read_prompts(tmp_path / "no.txt")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ConfigError, match=r"latin.txt: .*utf-8"):
        read_prompts(tmp_path / "latin.txt")


def test_duplicates_differ_in_form_only() -> None:
    prompts = [Prompt("Who is  it?", "a"), Prompt("who is it?", "b"), Prompt("Who was it?", "c")]
    assert dedupe(prompts) == [prompts[0], prompts[2]]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=60), st.text(max_size=5))
def test_a_group_is_in_one_split_and_nothing_is_lost(
    rows: list[tuple[str, str]], salt: str
) -> None:
    prompts = [Prompt(text, group) for text, group in rows]
    parts = split(prompts, SHARES, salt)
    assert sorted(p.text for part in parts.values() for p in part) == sorted(t for t, _ in rows)
    groups = [{prompt.group for prompt in part} for part in parts.values()]
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert split(prompts[:10], SHARES, salt) == {
        name: [p for p in prompts[:10] if p in part] for name, part in parts.items()
    }


def test_shares_are_kept_roughly_and_salt_matters() -> None:
    prompts = [Prompt(str(number), str(number)) for number in range(5000)]
    parts = split(prompts, SHARES)
    assert len(parts["fit"]) == pytest.approx(3500, abs=150)
    assert split(prompts, SHARES, "other") != parts
    assert 0 <= position("x") < 1


@pytest.mark.parametrize("shares", [{"a": 0.5}, {"a": 1.5, "b": -0.5}])
def test_shares_must_add_up(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must add up to 1"):
        split([], shares)


def test_fingerprint_ignores_order_only() -> None:
    one, two = Prompt("a", "x"), Prompt("b", "y")
    assert fingerprint([one, two]) == fingerprint([two, one])
    assert fingerprint([one, two]).rows == 2
    assert fingerprint([one]).sha256 != fingerprint([two]).sha256
