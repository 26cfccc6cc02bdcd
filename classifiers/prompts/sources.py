"""Reads labelled prompts from files, Hugging Face datasets and captured traffic, by one name each.

First step of training a malicious-prompt detector. What is read is not yet without duplicates:
see `classifiers.prompts.files.dedupe`.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson

from classifiers.prompts.files import MAX_CHARACTERS
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.rows import COLUMNS, MESSAGES, TEXT, Row, conversation, labelled_prompt
from guard.screening.cutting.windows import USER_ROLES
from guard.terms.errors import ConfigError

HUGGING_FACE = "hf:"
STORE = "store:"
TRAFFIC = "traffic"
"""The source of captured prompts."""
BATCH_ROWS = 1024

FORMS = (
    "a file ending in .jsonl, .csv or .txt (also with .gz) or in .parquet, "
    "hf:NAME[@REVISION]:SPLIT[:COLUMN] or store:URL"
)


def read_labelled(
    source: str, *, encryption_key_env: str | None = None, password_env: str | None = None
) -> list[LabelledPrompt]:
    """The prompts of a source, in its order.

    - A file: JSON Lines and CSV (also gzipped), Parquet, or text with a prompt a line. Rows hold
      `text` or `messages`, and optionally `source`, `group` (a source's other name), `label`
      (malicious, benign, unknown, 1 or 0), `kind` and `client`. A file gives rows that name no
      source its own name.
    - `hf:NAME[@REVISION]:SPLIT[:COLUMN]`: a data set of Hugging Face's hub or its cache, or a
      folder that `datasets` saved; texts or messages stand in COLUMN (`text`, else `messages`).
    - `store:URL`: the traffic store of a proxy, by the URL in its configuration. The variables
      hold the key its prompts are encrypted with and the database's password, where it has them.

    Raises ConfigError naming file, line or row, and field; StoreError for a store.
    """
    if source.startswith(STORE):
        url = source.removeprefix(STORE)
        found = list(_captured(url, encryption_key_env, password_env))
        if not found:  # the URL is not named: it may hold a password
            raise ConfigError("store: holds no captured prompts of users")
        return found
    if source.startswith(HUGGING_FACE):
        from classifiers.prompts.hub_datasets import read_dataset

        found = list(read_dataset(source))
    else:
        found = list(_file_prompts(Path(source)))
    if not found:
        raise ConfigError(f"{source}: holds no prompts")
    return found


def _file_prompts(file: Path) -> Iterator[LabelledPrompt]:
    stem = _plain(file).stem
    return (labelled_prompt(row, stem) for row in file_rows(file))


def _plain(file: Path) -> Path:
    """The file's name without `.gz`."""
    return file.with_suffix("") if file.suffix.lower() == ".gz" else file


def file_rows(file: Path) -> Iterator[Row]:
    """The rows of a file, by its ending; ConfigError where it cannot be read."""
    plain = _plain(file)
    reader = READERS.get(plain.suffix.lower())
    if reader is None or (plain != file and reader is _parquet_rows):
        raise ConfigError(f"{file}: expected {FORMS}")
    try:
        yield from reader(file)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or error}") from error


def _open(file: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb")


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers; only a line feed ends a line."""
    with _open(file) as content:
        for number, line in enumerate(content, start=1):
            plain = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if plain.strip():
                yield number, plain.rstrip(b"\r\n")


def _json_rows(file: Path) -> Iterator[Row]:
    for number, line in _lines(file):
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{file}:{number}: not JSON ({error.msg})") from error
        if not isinstance(values, dict):
            raise ConfigError(f"{file}:{number}: expected an object")
        yield Row(f"{file}:{number}", values)


def _text_rows(file: Path) -> Iterator[Row]:
    for number, line in _lines(file):
        yield Row(f"{file}:{number}", {TEXT: line.decode()})


def _csv_rows(file: Path) -> Iterator[Row]:
    with _open(file) as content:
        lines = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
        reader = csv.DictReader(lines, strict=True)
        try:
            if TEXT not in (reader.fieldnames or ()):
                raise ConfigError(f"{file}:1: expected a column named {TEXT}")
            for row in reader:
                yield Row(f"{file}:{reader.line_num}", {k: row[k] for k in COLUMNS if k in row})
        except csv.Error as error:
            raise ConfigError(f"{file}: after line {reader.line_num}: {error}") from error


def _parquet_rows(file: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as content, pq.ParquetFile(content) as table:
            columns = [name for name in COLUMNS if name in table.schema_arrow.names]
            if not {TEXT, MESSAGES} & set(columns):
                raise ConfigError(f"{file}: expected a column named {TEXT} or {MESSAGES}")
            number = 0
            for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file}: row {number}", values)
    except pa.ArrowException as error:
        reason = type(error).__name__
        raise ConfigError(f"{file}: not a readable Parquet file ({reason})") from error


def _captured(url: str, key_env: str | None, password_env: str | None) -> Iterator[LabelledPrompt]:
    """What users said in captured requests; too long a text is cut, or one could end training."""
    from guard.store.traffic_store import read_traffic

    captured = read_traffic(url, encryption_key_env=key_env, password_env=password_env)
    for prompt in captured:
        said = (message.content for message in prompt.messages if message.role in USER_ROLES)
        text, turns = conversation(said)
        if len(text) > MAX_CHARACTERS:  # read as one text from here on
            text, turns = text[:MAX_CHARACTERS], ()
        if text.strip():
            yield LabelledPrompt(text, source=TRAFFIC, client=prompt.client, turns=turns)


READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": _json_rows,
    ".csv": _csv_rows,
    ".txt": _text_rows,
    ".parquet": _parquet_rows,
}
"""By a file name's ending, what reads its rows."""
