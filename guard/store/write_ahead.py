"""SQLite's write-ahead log, turned on for a file that several processes may open at once."""

import sqlite3
from time import monotonic, sleep

_KIND = 0xFF
"""The bits of an error's code that say its kind; the others say more of it."""
_POLL_S = 0.01


def write_ahead(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Keep commits in a log beside the file; sqlite3.OperationalError after `timeout_s` seconds.

    SQLite waits for the lock of a writer, but not for that of another process which turns the log
    on for the same new file: it fails at once. So the waiting is done here.
    """
    until = monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _KIND != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(_POLL_S)
        else:
            return
