"""Real errors of both databases, and what they mean for the records at hand."""

import errno
import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError

from guard.store.faults import classified, explained, reason_of
from guard.store.records import StoreFault
from guard.terms.errors import StoreError


def sqlite_error(code: int) -> OperationalError:
    error = sqlite3.OperationalError("words of the driver")
    error.sqlite_errorcode = code
    return OperationalError("INSERT", {}, error)


FAULTS = [
    ("file full", sqlite_error(sqlite3.SQLITE_FULL), "disk"),
    ("file not writable", sqlite_error(sqlite3.SQLITE_IOERR | (3 << 8)), "disk"),
    ("locked", sqlite_error(sqlite3.SQLITE_BUSY), "dead"),
    ("server's disk", OperationalError("", {}, psycopg.errors.DiskFull()), "disk"),
    ("server gone", OperationalError("", {}, psycopg.OperationalError("gone")), "dead"),
    ("no table", ProgrammingError("", {}, psycopg.errors.UndefinedTable()), "dead"),
    ("bad value", DataError("", {}, psycopg.DataError("NUL")), "invalid"),
    ("broken rule", IntegrityError("", {}, sqlite3.IntegrityError()), "invalid"),
    ("too large", OverflowError("int too large"), "invalid"),
    ("no space", OSError(errno.ENOSPC, "No space left"), "disk"),
    ("no permission", OSError(errno.EACCES, "Permission denied"), "dead"),
]


@pytest.mark.parametrize(
    ("error", "reason"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_errors_have_a_reason(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason
    with pytest.raises(StoreFault) as caught, classified():
        raise error
    assert caught.value.reason == reason


def test_a_faults_text_quotes_nothing() -> None:
    with pytest.raises(StoreFault) as caught, classified():
        raise DataError("INSERT", {"x": "a prompt"}, psycopg.DataError("bad: a prompt"))

    assert "a prompt" not in str(caught.value)


def test_our_own_errors_pass() -> None:
    with pytest.raises(StoreError, match="upgrade"), classified():
        raise StoreError("upgrade")


def test_commands_say_the_databases_first_line() -> None:
    cause = psycopg.OperationalError("connection refused\nDETAIL: more")

    with pytest.raises(StoreError) as caught, explained("postgresql://db/x"):
        raise OperationalError("SELECT", {}, cause)

    assert str(caught.value) == "store.url: postgresql://db/x: connection refused"
