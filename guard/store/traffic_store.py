"""The traffic store: audit rows and captured prompts in SQLite or PostgreSQL.

Blocking: the proxy calls it from the writer's thread only, the commands and the trainer directly.
"""

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from guard.settings import Capture, Store, secret
from guard.store import migration
from guard.store.audit_rows import AuditQuery, read_audit
from guard.store.connection import make_private, open_engine, shown
from guard.store.encryption import PromptCipher
from guard.store.faults import classified, explained
from guard.store.intake import Batch, Intake, Written
from guard.store.queries import (
    StoreStatus,
    check_readable,
    prompt_pages,
    read_prompts,
    status_of,
)
from guard.store.records import CapturedPrompt, Message, Record
from guard.store.redaction import load_hook, redact, unchanged
from guard.store.removal import Deleted, delete_key, delete_older
from guard.store.schema import prompts
from guard.terms.errors import StoreError, about

__all__ = ["CapturedPrompt", "Message", "StoreStatus", "TrafficStore", "read_traffic"]


def read_traffic(
    url: str,
    *,
    encryption_key_env: str | None = None,
    password_env: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[CapturedPrompt]:
    """Every captured prompt, oldest first, in pages: a store of any size fits in memory.

    `url` is the `store.url` of the configuration: `sqlite:///FILE` (relative to the current
    folder) or `postgresql://USER@HOST/NAME`. The variables hold the keys that the prompts were
    encrypted with (`store.capture.encryption_key_env`), and the database's password. Raises
    ConfigError when a variable is unset or the URL is none, StoreError when the store cannot be
    read: not there, not at this version's tables, or encrypted with another key.
    """
    password = secret(password_env, environment) if password_env else None
    cipher = _cipher(encryption_key_env, environment)
    engine = open_engine(url, password=password)
    try:
        with explained(shown(url)):
            check_readable(engine)
            yield from read_prompts(engine, cipher)
    finally:
        engine.dispose()


class TrafficStore:
    """A configured store; connects when it is first asked for something.

    Its methods raise StoreError, with what to do where that is known. `open` and `write`, which
    the writer calls again and again, say in their own docstrings what they raise.
    """

    def __init__(self, settings: Store, environment: Mapping[str, str] | None = None) -> None:
        """Raises ConfigError for a variable that is unset or a hook that is not there."""
        capture = settings.capture
        with about("store", "password_env"):
            password = secret(settings.password_env, environment) if settings.password_env else None
        self._settings = settings
        with about("store", "capture", "encryption_key_env"):
            self._cipher = _cipher(capture.encryption_key_env, environment)
        self._engine = open_engine(settings.url, password=password, timeout_s=settings.timeout_s)
        self._intake = Intake(
            self._engine,
            redact=_redaction(capture),
            cipher=self._cipher,
            quota=capture.daily_prompts_per_key,
        )

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return shown(self._settings.url)

    def open(self) -> None:
        """Make the store ready for writing.

        SQLite's tables are brought to this version, PostgreSQL's only with `auto_upgrade`: there
        other replicas may still be of another one. Raises StoreError when they are not this
        version's, StoreFault when the database cannot be reached or written now.
        """
        with classified():
            if self._engine.dialect.name == "sqlite" or self._settings.auto_upgrade:
                self._upgrade()
            else:
                migration.check_current(self._engine)

    def upgrade(self) -> None:
        """Bring the tables to this version."""
        with explained(self.url):
            self._upgrade()

    def _upgrade(self) -> None:
        try:
            make_private(self._settings.url)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # space may be found while the proxy runs
            raise StoreError(f"store.url: {self.url}: {error.strerror}") from error
        migration.upgrade(self._engine)

    def prepare(self, records: Sequence[Record]) -> Batch:
        """Records as rows: redacted and encrypted."""
        return self._intake.prepare(records)

    def write(self, batch: Batch) -> Written:
        """Store a batch, all or nothing; raises StoreFault."""
        return self._intake.write(batch)

    def purge(self, now: datetime | None = None) -> Deleted:
        """Delete what is past its retention limit."""
        with explained(self.url):
            return delete_older(
                self._engine,
                now or datetime.now(UTC),
                audit_days=self._settings.audit.retention_days,
                prompt_days=self._settings.capture.retention_days,
            )

    def delete(self, key: str, *, with_audit: bool = False) -> Deleted:
        """Delete the prompts of an API key by its name, and with `with_audit` its audit rows."""
        with explained(self.url):
            check_readable(self._engine)
            return delete_key(self._engine, key, with_audit=with_audit)

    def prompts(self) -> Iterator[CapturedPrompt]:
        """Every captured prompt, oldest first."""
        with explained(self.url):
            check_readable(self._engine)
            yield from read_prompts(self._engine, self._cipher)

    def audit(self, query: AuditQuery, most: int) -> Iterator[dict[str, Any]]:
        """At most `most` audit rows that `query` asks for, the newest first."""
        with explained(self.url):
            check_readable(self._engine)
            yield from read_audit(self._engine, query, most)

    def rotate(self) -> int:
        """Encrypt every prompt, plain ones too, under the first key; how many there were."""
        if self._cipher is None:
            raise StoreError("store.capture.encryption_key_env: not set")
        count = 0
        with explained(self.url):
            check_readable(self._engine)
            for rows in prompt_pages(self._engine):
                with self._engine.begin() as connection:
                    for row in rows:
                        change = self._cipher.rotate if row.encrypted else self._cipher.encrypt
                        values = {"messages": change(bytes(row.messages)), "encrypted": True}
                        this = prompts.c.id == row.id
                        connection.execute(update(prompts).where(this).values(values))
                count += len(rows)
        return count

    def status(self) -> StoreStatus:
        """What the store holds."""
        with explained(self.url):
            return status_of(self._engine)

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()


def _cipher(variable: str | None, environment: Mapping[str, str] | None) -> PromptCipher | None:
    return PromptCipher.from_environment(variable, environment) if variable else None


def _redaction(capture: Capture) -> Callable[[str], str]:
    """The operator's hook first, then the built-in one: what the hook adds is redacted too."""
    built_in = redact if capture.redaction == "built_in" else unchanged
    if capture.redaction_hook is None:
        return built_in
    hook = load_hook(capture.redaction_hook)
    return lambda text: built_in(hook(text))
