"""Reads prompts from files, removes duplicates and splits them; the first step of all training."""

import csv
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import orjson

from guard.artifacts.manifest import DataSource
from guard.terms.errors import ConfigError

MAX_CHARACTERS = 100_000


class Texted(Protocol):
    """Anything with a text: prompts of every kind."""

    @property
    def text(self) -> str:
        """The prompt's own words."""
        ...


T = TypeVar("T", bound=Texted)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt; prompts of one group (a source, a person, a wording) stay in one split."""

    text: str
    group: str


def read_prompts(file: Path) -> list[Prompt]:
    """The prompts of a `.jsonl`, `.csv` or `.txt` file, in order.

    JSON Lines hold {"text": ...} or {"messages": [...]} (the user's messages are joined), CSV a
    column `text`, both optionally `group`; other keys are ignored. A text file holds a prompt per
    line. Raises ConfigError naming file and line.
    """
    readers = {".jsonl": _read_json_lines, ".csv": _read_csv, ".txt": _read_lines}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise ConfigError(f"{file}: expected a name ending in {', '.join(readers)}")
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    prompts = list(reader(file, content))
    if not prompts:
        raise ConfigError(f"{file}: holds no prompts")
    return prompts


def dedupe(prompts: Iterable[T]) -> list[T]:
    """The first of prompts that differ only in compatibility forms, case and white space."""
    found: dict[str, T] = {}
    for prompt in prompts:
        found.setdefault(" ".join(_plain(prompt.text).split()), prompt)
    return list(found.values())


def split(
    prompts: Iterable[Prompt], shares: Mapping[str, float], salt: str = ""
) -> dict[str, list[Prompt]]:
    """Prompts by split, each group wholly in one; a hash of salt and group decides, so that a
    group keeps its split when prompts are added. Shares must add up to 1."""
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) < 0:
        raise ValueError(f"shares must add up to 1: {dict(shares)}")
    parts: dict[str, list[Prompt]] = {name: [] for name in shares}
    for prompt in prompts:
        parts[_part(position(prompt.group, salt), shares)].append(prompt)
    return parts


def position(group: str, salt: str = "") -> float:
    """A group's stable place in [0, 1)."""
    digest = hashlib.sha256(f"{salt}\0{group}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:6]) / 2**48


def drawn_for(text: str, *keys: int) -> np.random.Generator:
    """A generator that depends on the text and the keys alone (a seed, a number for each use)."""
    return np.random.default_rng([*keys, int(position(text) * 2**48)])


def fingerprint(prompts: Sequence[Texted]) -> DataSource:
    """What a manifest keeps of its training data: a hash over the sorted texts, and a count."""
    digest = hashlib.sha256()
    for text in sorted(prompt.text for prompt in prompts):
        digest.update(hashlib.sha256(text.encode(errors="surrogatepass")).digest())
    return DataSource(sha256=digest.hexdigest(), rows=len(prompts))


def _part(place: float, shares: Mapping[str, float]) -> str:
    edge = 0.0
    for name, share in shares.items():
        edge += share
        if place < edge:
            return name
    return list(shares)[-1]  # rounding left `edge` a hair under 1


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _prompt(file: Path, line: int, text: object, group: object) -> Prompt:
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(f"{file}:{line}: text: expected a non-empty string")
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"{file}:{line}: text: longer than {MAX_CHARACTERS} characters")
    if group is not None and not isinstance(group, str | int):
        raise ConfigError(f"{file}:{line}: group: expected a string")
    return Prompt(text, str(group) if group not in (None, "") else text)


def _read_json_lines(file: Path, content: str) -> Iterator[Prompt]:
    for number, line in enumerate(re.split(r"\r?\n", content), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{file}:{number}: not JSON ({error.msg})") from error
        if not isinstance(row, dict) or ("text" in row) == ("messages" in row):
            raise ConfigError(f"{file}:{number}: expected an object with either text or messages")
        text = row["text"] if "text" in row else _user_text(file, number, row["messages"])
        yield _prompt(file, number, text, row.get("group"))


def _user_text(file: Path, number: int, messages: object) -> str:
    texts = []
    for index, message in enumerate(messages if isinstance(messages, list) else [None]):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ConfigError(f"{file}:{number}: messages.{index}: expected a message with a role")
        if message["role"] == "user":
            texts.append(_content_text(file, number, index, message.get("content")))
    return "\n".join(texts)


def _content_text(file: Path, number: int, index: int, content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [None]
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    found = [text for text in texts if isinstance(text, str)]
    if not found:
        raise ConfigError(f"{file}:{number}: messages.{index}.content: expected text")
    return "\n".join(found)


def _read_csv(file: Path, content: str) -> Iterator[Prompt]:
    lines = content.splitlines(keepends=True)
    reader = csv.DictReader(lines, strict=True)
    try:
        if "text" not in (reader.fieldnames or ()):
            raise ConfigError(f"{file}:1: expected a column named text")
        for row in reader:
            yield _prompt(file, reader.line_num, row["text"], row.get("group"))
    except csv.Error as error:
        line = min(reader.line_num + 1, len(lines))  # counted once a line has been parsed
        raise ConfigError(f"{file}:{line}: {error}") from error


def _read_lines(file: Path, content: str) -> Iterator[Prompt]:
    for number, line in enumerate(re.split(r"\r?\n", content), start=1):
        if line.strip():
            yield _prompt(file, number, line, None)
