"""Whoever opens a new SQLite file at the same time as others waits for them."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from guard.store.write_ahead import write_ahead

TOGETHER = 8
FILES = 60


def mode_of(file: Path, opened: Barrier) -> str:
    connection = sqlite3.connect(file)
    opened.wait()
    write_ahead(connection, timeout_s=60)
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    return str(mode)


def test_new_files_may_be_opened_together(tmp_path: Path) -> None:
    with ThreadPoolExecutor(TOGETHER) as pool:
        for number in range(FILES):
            opened = Barrier(TOGETHER)
            file = tmp_path / f"{number}.sqlite"
            found = pool.map(lambda each: mode_of(*each), [(file, opened)] * TOGETHER)
            assert list(found) == ["wal"] * TOGETHER


def locked(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def no_database(file: Path) -> sqlite3.Connection:
    file.write_bytes(b"no database" * 100)
    return sqlite3.connect(":memory:")


@pytest.mark.parametrize(
    ("prepare", "error"),
    [(locked, "database is locked"), (no_database, "file is not a database")],
)
def test_what_does_not_pass_is_told(
    tmp_path: Path, prepare: Callable[[Path], sqlite3.Connection], error: str
) -> None:
    file = tmp_path / "work.sqlite"
    other, connection = prepare(file), sqlite3.connect(file, timeout=0)
    with pytest.raises(sqlite3.DatabaseError, match=error):
        write_ahead(connection, timeout_s=0)
    connection.close()
    other.close()
