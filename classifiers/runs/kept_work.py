"""Finished work on disk: the one way in which a long run that was stopped goes on where it was.

Results stand in an SQLite file, each under a key; the file says what all of them were made from
(recipe, data, model). A result is there whole or not at all, whatever ended the process. Values
are bytes of the caller's own: JSON, safetensors or rows of float32, never pickled objects.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import orjson

from guard.store.write_ahead import write_ahead
from guard.terms.errors import ConfigError

Key = TypeVar("Key", str, bytes)
_OURS = 0x45636F47
"""SQLite's `application_id` of these files: "EcoG"."""
_WAIT = 60.0
"""Seconds to wait for another process that is writing."""
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS made_from (one INTEGER PRIMARY KEY, description BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS results (key PRIMARY KEY, value BLOB NOT NULL)",
    f"PRAGMA application_id = {_OURS}",
)


class KeptWork:
    """Results in a file, in the order in which they were kept; safe to use from several threads.

    `made_from` is all that the results depend on, as JSON can hold it. ConfigError where the file
    was made from something else, is another program's or cannot be read: old results never stand
    for new ones, and nobody's file is overwritten.
    """

    def __init__(self, file: Path, made_from: Mapping[str, Any]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._lock = threading.Lock()
        with self._named_errors():
            self._database = sqlite3.connect(file, timeout=_WAIT, check_same_thread=False)
        try:
            with self._named_errors():
                # A commit is then an append: 0.1 ms where a rewritten page and its fsync take 20.
                write_ahead(self._database, _WAIT)
                self._database.execute("PRAGMA synchronous = NORMAL")
                self._create(orjson.dumps(made_from))
                self._check(orjson.loads(orjson.dumps(made_from)))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.values())

    def find(self, key: str) -> bytes | None:
        """The result under a key, if there is one."""
        return self.find_all([key]).get(key)

    def find_all(self, keys: Iterable[Key]) -> dict[Key, bytes]:
        """The results of those keys that have one."""
        asked = "SELECT value FROM results WHERE key = ?"
        with self._lock, self._named_errors():
            rows = ((key, self._database.execute(asked, (key,)).fetchone()) for key in keys)
            return {key: row[0] for key, row in rows if row}

    def keep(self, results: Mapping[Key, bytes]) -> None:
        """Keep results, all of them or none; the end of the process takes none away after this."""
        with self._lock, self._named_errors(), self._database:
            self._database.executemany("REPLACE INTO results VALUES (?, ?)", results.items())

    def values(self) -> list[bytes]:
        """All results, in the order in which they were kept."""
        with self._lock, self._named_errors():
            rows = self._database.execute("SELECT value FROM results ORDER BY rowid").fetchall()
        return [value for (value,) in rows]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _create(self, made_from: bytes) -> None:
        """Give an empty file its tables; two processes may do so at a time."""
        (owner,) = self._database.execute("PRAGMA application_id").fetchone()
        if owner == _OURS:
            return
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            (owner,) = self._database.execute("PRAGMA application_id").fetchone()
            (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if owner != _OURS and tables:
                raise ConfigError(f"{self._file}: the database of another program")
            for statement in _SCHEMA:
                self._database.execute(statement)
            self._database.execute("INSERT OR IGNORE INTO made_from VALUES (1, ?)", (made_from,))

    def _check(self, made_from: Mapping[str, Any]) -> None:
        (description,) = self._database.execute("SELECT description FROM made_from").fetchone()
        known = orjson.loads(description)
        for name in sorted({*made_from, *known}):
            if known.get(name) != made_from.get(name):
                raise ConfigError(
                    f"{self._file}: holds the work of another run ({name} differs): choose "
                    "another place, or remove it"
                )

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """SQLite's errors as ConfigErrors that name the file."""
        try:
            yield
        except sqlite3.Error as error:
            raise ConfigError(f"{self._file}: cannot be used as kept work: {error}") from error
