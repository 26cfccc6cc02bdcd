"""Deletion: by age and by client, in pages, so that other writers have their turn in between."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, Table, delete, select

from guard.store.queries import PAGE_ROWS, reading
from guard.store.rows import client_id
from guard.store.schema import audit, identity, prompts, quotas

_QUOTA_DAYS = 2  # only today's counts; yesterday's may still be written around midnight

Deleted = dict[str, int]
"""Rows deleted, by table."""


def delete_older(engine: Engine, now: datetime, *, audit_days: int, prompt_days: int) -> Deleted:
    """Delete what is past its retention limit."""
    oldest_audit = now - timedelta(days=audit_days)
    oldest_prompt = now - timedelta(days=prompt_days)
    deleted = {
        audit.name: _delete(engine, audit, audit.c.time < oldest_audit),
        prompts.name: _delete(engine, prompts, prompts.c.time < oldest_prompt),
    }
    with engine.begin() as connection:
        last = (now - timedelta(days=_QUOTA_DAYS)).date()
        connection.execute(delete(quotas).where(quotas.c.day < last))
    _empty_log(engine)
    return deleted


def delete_key(engine: Engine, key: str, *, with_audit: bool) -> Deleted:
    """Delete the prompts of an API key by its name, and with `with_audit` its audit rows.

    What was taken today still counts against the key's quota.
    """
    with reading(engine) as connection:
        client = client_id(connection.execute(select(identity.c.secret)).scalar_one(), key)
    deleted = {prompts.name: _delete(engine, prompts, prompts.c.client == client)}
    if with_audit:
        deleted[audit.name] = _delete(engine, audit, audit.c.key == key)
    _empty_log(engine)
    return deleted


def _delete(engine: Engine, table: Table, condition: ColumnElement[bool]) -> int:
    page = select(table.c.id).where(condition).limit(PAGE_ROWS)
    total = 0
    while True:
        with engine.begin() as connection:
            count = connection.execute(delete(table).where(table.c.id.in_(page))).rowcount
        total += count
        if count < PAGE_ROWS:
            return total


def _empty_log(engine: Engine) -> None:
    """SQLite's write-ahead log still holds the deleted pages: have it written back and emptied."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            cursor = connection.connection.cursor()  # the driver's own: outside any transaction
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.close()
