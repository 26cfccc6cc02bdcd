"""The way out of the tables: prompts in pages, and what a store holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, Row, func, select

from guard.store import migration
from guard.store.connection import READ_ONLY
from guard.store.encryption import PromptCipher
from guard.store.records import CapturedPrompt
from guard.store.rows import read_messages
from guard.store.schema import audit, prompts
from guard.terms.errors import StoreError

PAGE_ROWS = 500

PromptRow = Row[str, datetime, str, bool, bytes]


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What a store holds; `revision` is None where there are no tables yet."""

    revision: str | None
    head: str
    audit_rows: int = 0
    prompts: int = 0
    encrypted: int = 0
    clients: int = 0
    oldest_prompt: datetime | None = None
    newest_prompt: datetime | None = None


def reading(engine: Engine) -> Connection:
    """A connection that only reads."""
    return engine.connect().execution_options(**{READ_ONLY: True})


def check_file(engine: Engine) -> None:
    """StoreError where connecting would make an empty SQLite file."""
    database = engine.url.database or ""
    if engine.dialect.name == "sqlite" and not Path(database).is_file():
        raise StoreError(f"store.url: no such file: {database}")


def check_readable(engine: Engine) -> None:
    """StoreError unless the store is there and its tables are this version's."""
    check_file(engine)
    migration.check_current(engine)


def prompt_pages(engine: Engine) -> Iterator[Sequence[PromptRow]]:
    """Captured rows by id, which begins with the time; no transaction spans two pages."""
    last = ""
    while True:
        page = (
            select(
                prompts.c.id,
                prompts.c.time,
                prompts.c.client,
                prompts.c.encrypted,
                prompts.c.messages,
            )
            .where(prompts.c.id > last)
            .order_by(prompts.c.id)
            .limit(PAGE_ROWS)
        )
        with reading(engine) as connection:
            rows = connection.execute(page).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def read_prompts(engine: Engine, cipher: PromptCipher | None) -> Iterator[CapturedPrompt]:
    """Every captured prompt, oldest first; StoreError for one that the cipher does not open."""
    for rows in prompt_pages(engine):
        for row in rows:
            try:
                messages = read_messages(_opened(row, cipher))
            except ValueError:
                raise StoreError(f"store: the captured prompt {row.id} is damaged") from None
            yield CapturedPrompt(messages, row.client, row.time)


def _opened(row: PromptRow, cipher: PromptCipher | None) -> bytes:
    if not row.encrypted:
        return bytes(row.messages)
    if cipher is None:
        raise StoreError(
            "store: prompts are encrypted: name the variable with their keys "
            "(store.capture.encryption_key_env)"
        )
    return cipher.decrypt(bytes(row.messages))


def status_of(engine: Engine) -> StoreStatus:
    """What a store holds."""
    check_file(engine)
    revision, head = migration.current(engine), migration.head()
    if revision != head:
        return StoreStatus(revision, head)
    columns = (
        func.count(),
        func.count().filter(prompts.c.encrypted),
        func.count(prompts.c.client.distinct()),
        func.min(prompts.c.time),
        func.max(prompts.c.time),
    )
    with reading(engine) as connection:
        rows = connection.execute(select(func.count()).select_from(audit)).scalar_one()
        count, encrypted, clients, oldest, newest = connection.execute(select(*columns)).one()
    return StoreStatus(revision, head, rows, count, encrypted, clients, oldest, newest)
