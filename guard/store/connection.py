"""From a store's URL to an engine that fails soon instead of hanging."""

import os
from functools import partial
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from guard.store.write_ahead import write_ahead
from guard.terms.errors import ConfigError, about

READ_ONLY = "ecoguard_read_only"
"""Execution option of connections that only read: on SQLite they need not wait for the writer."""

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


def open_engine(url: str, *, password: str | None = None, timeout_s: float = 10) -> Engine:
    """An engine; connects to nothing yet. ConfigError for a URL that names no store."""
    address = _address(url, password)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, timeout_s)
    seconds = max(1, round(timeout_s))
    milliseconds = round(timeout_s * 1000)
    return create_engine(
        address,
        hide_parameters=True,
        json_serializer=_json,
        pool_size=1,
        max_overflow=1,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": seconds,
            # A server that is gone without a word (no RST) would else hold the writer for hours.
            "tcp_user_timeout": milliseconds,
            "keepalives_idle": seconds,
            "keepalives_interval": seconds,
            "keepalives_count": 2,
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}",
        },
    )


def shown(url: str) -> str:
    """The URL for messages: without a password."""
    return make_url(url).render_as_string(hide_password=True)


def _address(url: str, password: str | None) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        with about("store", "url"):
            raise ConfigError("not a database URL") from None
    driver = _DRIVERS.get(address.get_backend_name())
    if driver is None or not address.database:
        with about("store", "url"):
            raise ConfigError("expected sqlite:///FILE or postgresql://USER@HOST/NAME")
    address = address.set(drivername=driver)
    return address.set(password=password) if password else address


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _sqlite(address: URL, timeout_s: float) -> Engine:
    engine = create_engine(
        address,
        hide_parameters=True,  # an error must not quote what was to be stored
        json_serializer=_json,
        connect_args={"timeout": timeout_s},
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, timeout_s))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_private(url: str) -> None:
    """Create a SQLite store's file, for its owner only, before SQLite does it for everyone."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and address.database:
        file = Path(address.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(timeout_s: float, connection: SQLiteConnection, _: ConnectionPoolEntry) -> None:
    # SQLAlchemy's recipe: the driver begins no transactions of its own, so that tables are made
    # within one and BEGIN is ours.
    connection.isolation_level = None
    write_ahead(connection, timeout_s)
    for pragma in ("synchronous=NORMAL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a writer waits for its turn here, instead of failing in the middle.
    read_only = connection.get_execution_options().get(READ_ONLY)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
