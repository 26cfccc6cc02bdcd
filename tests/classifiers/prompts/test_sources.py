"""Prompt sets in every form: the same prompts from each, and errors that name place and field."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.prompts.files import dedupe
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.rows import LABELS
from classifiers.prompts.sources import read_labelled
from guard.store import traffic_store
from guard.store.records import CapturedPrompt, Message
from guard.terms.errors import ConfigError

Rows = Sequence[dict[str, object]]

ROWS: Rows = [
    {"text": "one", "source": "a", "label": "malicious", "kind": "injection", "client": "k1"},
    {"text": "two\nlines", "source": None, "label": "benign", "kind": None, "client": None},
    {"text": 'three, "quoted" \u2028', "source": "b", "label": None, "kind": "", "client": "2"},
]


def expected(home: str) -> list[LabelledPrompt]:
    return [
        LabelledPrompt("one", "a", "malicious", "injection", "k1"),
        LabelledPrompt("two\nlines", home, "benign"),
        LabelledPrompt('three, "quoted" \u2028', "b", "unknown", "", "2"),
    ]


def json_lines(rows: Rows) -> bytes:
    return b"\n".join(orjson.dumps(row) for row in rows)


def comma_separated(rows: Rows) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows: Rows) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), out)
    return out.getvalue()


FORMATS: dict[str, Callable[[Rows], bytes]] = {
    "set.jsonl": json_lines,
    "set.jsonl.gz": lambda rows: gzip.compress(json_lines(rows)),
    "set.csv": comma_separated,
    "set.CSV.gz": lambda rows: gzip.compress(comma_separated(rows)),
    "set.parquet": parquet,
}


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


@pytest.mark.parametrize("name", FORMATS)
def test_formats_hold_the_same(tmp_path: Path, name: str) -> None:
    assert read_labelled(write(tmp_path, name, FORMATS[name](ROWS))) == expected("set")


def test_text_has_a_prompt_a_line(tmp_path: Path) -> None:
    file = write(tmp_path, "set.txt", "\ufeffone\r\n\n two\u2028x \n".encode())
    assert read_labelled(file) == [
        LabelledPrompt("one", "set"),
        LabelledPrompt(" two\u2028x ", "set"),
    ]


CONVERSATION: list[dict[str, object]] = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "yes?"},
    {"role": "user", "content": [{"type": "text", "text": "sec"}, {"type": "text", "text": "ond"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
]


def test_messages_are_joined_as_screening_joins(tmp_path: Path) -> None:
    """Turns by a line break, parts of a turn by nothing."""
    file = write(tmp_path, "chat.jsonl", json_lines([{"messages": CONVERSATION, "group": 7}]))
    assert read_labelled(file) == [LabelledPrompt("first\nsecond", "7", turns=("first", "second"))]


def test_messages_in_parquet(tmp_path: Path) -> None:
    rows: Rows = [
        {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
        {"messages": [{"role": "user", "content": "c"}]},
    ]
    file = write(tmp_path, "chat.parquet", parquet(rows))
    assert [prompt.text for prompt in read_labelled(file)] == ["a\nb", "c"]


def test_rows_may_hold_either_text_or_messages(tmp_path: Path) -> None:
    rows: Rows = [
        {"text": "a", "messages": None},
        {"text": None, "messages": [{"role": "user", "content": "b"}]},
    ]
    for name, content in (("m.jsonl", json_lines(rows)), ("m.parquet", parquet(rows))):
        assert [prompt.text for prompt in read_labelled(write(tmp_path, name, content))] == [
            "a",
            "b",
        ]


@pytest.mark.parametrize(("written", "meant"), LABELS.items())
def test_labels(tmp_path: Path, written: str, meant: str) -> None:
    file = write(tmp_path, "l.csv", f"text,label\na,{written.upper()}\n".encode())
    assert read_labelled(file)[0].label == meant


@pytest.mark.parametrize(("value", "meant"), [(1, "malicious"), (0, "benign"), (True, "malicious")])
def test_labels_that_are_numbers(tmp_path: Path, value: int, meant: str) -> None:
    file = write(tmp_path, "l.jsonl", json_lines([{"text": "a", "label": value}]))
    assert read_labelled(file)[0].label == meant


def user(content: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}]}


BAD: dict[str, tuple[str, bytes, str]] = {
    "not JSON": ("p.jsonl", b'{"text": "a"}\n{"text": ', r"p.jsonl:2: not JSON"),
    "not UTF-8": ("p.jsonl", b'{"text": "caf\xe9"}', r"p.jsonl:1: not JSON"),
    "no object": ("p.jsonl", b"[1]", r"p.jsonl:1: expected an object"),
    "neither": ("p.jsonl", b'{"prompt": "a"}', r"p.jsonl:1: expected either text or messages"),
    "both": ("p.jsonl", b'{"text": "a", "messages": []}', r"p.jsonl:1: expected either text or"),
    "not a string": ("p.jsonl", b'{"text": 3}', r"p.jsonl:1: text: expected a non-empty string"),
    "blank": ("p.jsonl", b'\n{"text": " "}', r"p.jsonl:2: text: expected a non-empty string"),
    "null": ("p.jsonl", b'{"text": null}', r"p.jsonl:1: text: expected a non-empty string"),
    "label": ("p.jsonl", b'{"text": "a", "label": "bad"}', r"p.jsonl:1: label: expected mali"),
    "label list": ("p.jsonl", b'{"text": "a", "label": [1]}', r"p.jsonl:1: label: expected mali"),
    "client": ("p.jsonl", b'{"text": "a", "client": {}}', r"p.jsonl:1: client: expected a str"),
    "kind": ("p.jsonl", b'{"text": "a", "kind": true}', r"p.jsonl:1: kind: expected a string"),
    "messages": ("p.jsonl", b'{"messages": "a"}', r"p.jsonl:1: messages: expected a list of mess"),
    "no user": ("p.jsonl", b'{"messages": []}', r"p.jsonl:1: messages: expected a non-empty"),
    "role": ("p.jsonl", b'{"messages": [{}]}', r"p.jsonl:1: messages.0: expected a message"),
    "content": (
        "p.jsonl",
        orjson.dumps(user(3)),
        r"p.jsonl:1: messages.0.content: expected text or a list of parts",
    ),
    "no column": ("p.csv", b"prompt\na\n", r"p.csv:1: expected a column named text"),
    "empty cell": ("p.csv", b"text,group\na,b\n,c\n", r"p.csv:3: text: expected a non-empty"),
    "bad quoting": ("p.csv", b'text\n"a" b\n', r"p.csv: after line 1: "),
    "latin": ("p.csv", b"text\ncaf\xe9\n", r"p.csv: .*utf-8"),
    "empty": ("p.txt", b"\n", r"p.txt: holds no prompts"),
    "too long": ("p.txt", b"a" * 100_001, r"p.txt:1: text: longer than 100000"),
    "cut off": ("p.jsonl.gz", gzip.compress(b'{"text": "a"}' * 99)[:-9], r"p.jsonl.gz: "),
    "not gzip": ("p.jsonl.gz", b'{"text": "a"}', r"p.jsonl.gz: .*gzip"),
    "not Parquet": ("p.parquet", b"PAR1", r"p.parquet: not a readable Parquet file"),
    "Parquet columns": (
        "p.parquet",
        parquet([{"prompt": "a"}]),
        r"p.parquet: expected a column named text or messages",
    ),
    "Parquet row": (
        "p.parquet",
        parquet([{"text": "a"}, {"text": ""}]),
        r"p.parquet: row 2: text: expected a non-empty string",
    ),
    "format": ("p.xlsx", b"x", r"p.xlsx: expected a file ending in .jsonl"),
    "packed Parquet": ("p.parquet.gz", b"x", r"p.parquet.gz: expected a file ending in"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD.keys())
def test_errors_name_place_and_field(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read_labelled(write(tmp_path, name, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("no.jsonl", "no.parquet", "no.csv.gz"):
        with pytest.raises(ConfigError, match=rf"{name}: No such file"):
            read_labelled(str(tmp_path / name))


def test_errors_show_no_text(tmp_path: Path) -> None:
    file = write(tmp_path, "p.jsonl", json_lines([{"text": "my secret", "label": "x"}]))
    with pytest.raises(ConfigError) as raised:
        read_labelled(file)
    assert "secret" not in str(raised.value)


def test_labelled_prompts_lose_their_duplicates() -> None:
    prompts = [LabelledPrompt("Who  IS it", "a"), LabelledPrompt("who is it", "b")]
    assert dedupe(prompts) == prompts[:1]


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.strip)
words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=9)


@given(
    st.lists(
        st.builds(
            LabelledPrompt,
            text=texts,
            source=words,
            label=st.sampled_from(["malicious", "benign", "unknown"]),
            kind=words,
            client=words,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_prompts_come_back(
    tmp_path_factory: pytest.TempPathFactory, prompts: list[LabelledPrompt]
) -> None:
    folder = tmp_path_factory.mktemp("sets")
    rows = [
        {name: getattr(prompt, name) for name in ("text", "source", "label", "kind", "client")}
        for prompt in prompts
    ]
    for name in ("set.jsonl", "set.jsonl.gz", "set.parquet"):
        assert read_labelled(write(folder, name, FORMATS[name](rows))) == prompts


@given(st.binary(max_size=200), st.sampled_from(["x.jsonl", "x.csv", "x.txt", "x.parquet"]))
def test_garbage_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    file = write(tmp_path_factory.mktemp("sets"), name, content)
    with suppress(ConfigError):
        assert all(prompt.text.strip() for prompt in read_labelled(file))


def captured(text: str, *, role: str = "user", client: str = "c1") -> CapturedPrompt:
    time = datetime(2026, 1, 2, tzinfo=UTC)
    return CapturedPrompt((Message("system", "be kind"), Message(role, text)), client, time)


def test_captured_prompts_are_what_users_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def read_traffic(url: str, **keys: str | None) -> Iterator[CapturedPrompt]:
        asked.append({"url": url, **keys})
        yield captured("one")
        yield captured("only a tool's answer", role="tool")
        yield captured("x" * 100_001, client="c2")

    monkeypatch.setattr(traffic_store, "read_traffic", read_traffic)
    prompts = read_labelled("store:sqlite:///t.db", encryption_key_env="KEY")
    assert prompts[0] == LabelledPrompt("one", "traffic", client="c1")
    assert [len(prompt.text) for prompt in prompts] == [3, 100_000]
    assert asked == [
        {"url": "sqlite:///t.db", "encryption_key_env": "KEY", "password_env": None},
    ]


def test_an_empty_store_does_not_show_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_store, "read_traffic", lambda _, **__: iter(()))
    with pytest.raises(ConfigError, match=r"^store: holds no captured prompts of users$"):
        read_labelled("store:postgresql://user:password@host/name")
