"""Migrations against both databases: from nothing to the tables that the code knows."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from guard.store import migration
from guard.store.connection import make_private, open_engine
from guard.store.schema import metadata
from guard.terms.errors import StoreError


def test_an_empty_store_is_brought_to_the_tables_in_code(store_url: str) -> None:
    make_private(store_url)
    engine = open_engine(store_url)

    migration.upgrade(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        secret = connection.execute(text("SELECT secret FROM client_identity")).scalar_one()
    assert len(secret) == 32
    assert migration.current(engine) == migration.head()
    engine.dispose()


def test_upgrading_again_changes_nothing(store_url: str) -> None:
    make_private(store_url)
    engine = open_engine(store_url)
    migration.upgrade(engine)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT secret FROM client_identity")).scalar_one()

    migration.upgrade(engine)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT secret FROM client_identity")).scalar_one() == before
    engine.dispose()


def test_a_store_without_tables_is_refused_with_what_to_do(store_url: str) -> None:
    make_private(store_url)
    engine = open_engine(store_url)

    with pytest.raises(StoreError, match="run `ecoguard store upgrade`"):
        migration.check_current(engine)
    engine.dispose()


def test_a_store_of_a_later_version_is_refused(store_url: str) -> None:
    make_private(store_url)
    engine = open_engine(store_url)
    migration.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for step in (migration.check_current, migration.upgrade):
        with pytest.raises(StoreError, match=r"revision 9999.*later version"):
            step(engine)
    engine.dispose()


def test_a_failed_upgrade_leaves_nothing_behind(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables are made within one transaction, on SQLite too."""

    def fail(size: int) -> bytes:  # the last step of the first migration
        raise RuntimeError(size)

    make_private(store_url)
    engine = open_engine(store_url)
    monkeypatch.setattr("secrets.token_bytes", fail)

    with pytest.raises(RuntimeError):
        migration.upgrade(engine)

    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_percent_sign_in_a_folders_name_is_no_interpolation(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/50%25 off/traffic.db"
    make_private(url)
    engine = open_engine(url)

    migration.upgrade(engine)

    assert migration.current(engine) == migration.head()
    engine.dispose()
