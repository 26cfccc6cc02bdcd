"""What a database's error means for the records at hand."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from guard.store.records import StoreFault
from guard.terms.errors import StoreError

_SQLITE_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_POSTGRESQL_DISK_FULL = "53100"


def reason_of(error: Exception) -> str:
    """`disk`: no space; `invalid`: the records themselves; `dead`: whatever else may heal."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)  # an extended one: the low byte is the primary
    if isinstance(code, int) and code & 0xFF in _SQLITE_DISK:
        return "disk"
    if getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return "disk"
    if getattr(cause, "sqlstate", None) == _POSTGRESQL_DISK_FULL:
        return "disk"
    if isinstance(error, DataError | IntegrityError) or not isinstance(
        error, SQLAlchemyError | OSError
    ):
        return "invalid"
    return "dead"


@contextmanager
def classified() -> Iterator[None]:
    """Raises StoreFault for whatever is raised inside but StoreError; its text quotes no record."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise StoreFault(reason_of(error), type(error).__name__) from error


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Raises StoreError, with the database's own first line, for a database error inside."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        line = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise StoreError(f"store.url: {url}: {line}") from error
