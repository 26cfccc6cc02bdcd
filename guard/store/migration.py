"""Brings a store's tables to this version, and says whether they are."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from guard.store.connection import READ_ONLY
from guard.terms.errors import StoreError

SCRIPTS = Path(__file__).parent / "migrations"
# Any number, the same in all replicas: only one of them migrates at a time.
_ADVISORY_LOCK = 0x6563_6F67


def head() -> str:
    """The revision that this version of the program reads and writes."""
    revision = _scripts().get_current_head()
    if revision is None:  # pragma: no cover - the package has migrations
        raise StoreError("store: no migrations are installed")
    return revision


def current(engine: Engine) -> str | None:
    """The revision that the store is at; None for an empty one."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Bring the tables to `head`, all or nothing; does nothing when they are there."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})
        check_known(MigrationContext.configure(connection).get_current_revision())
        command.upgrade(_config(connection), "head")


def check_known(revision: str | None) -> None:
    """StoreError for a store that a later version has written."""
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"store.url: the store is at revision {revision}, which a later version of EcoGuard "
            "made: install that version"
        )


def check_current(engine: Engine) -> None:
    """StoreError, with what to do, unless the store is at `head`."""
    revision, wanted = current(engine), head()
    check_known(revision)
    if revision != wanted:
        raise StoreError(
            f"store.url: the store is at revision {revision or 'none'}, this version needs "
            f"{wanted}: run `ecoguard store upgrade`, or set store.auto_upgrade"
        )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    # Alembic's options interpolate: a percent sign in the folder's name must be doubled.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
