"""From URLs to engines: what is accepted, shown and made."""

import stat
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from guard.store.connection import make_private, open_engine, shown
from guard.terms.errors import ConfigError
from tests.postgres import PostgresServer


@pytest.mark.parametrize(
    "url", ["", "traffic.db", "mysql://host/db", "sqlite://", "postgresql://h"]
)
def test_other_urls_are_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigError, match=r"store\.url"):
        open_engine(url)


def test_passwords_go_in_and_are_not_shown() -> None:
    engine = open_engine("postgresql://guard@db/traffic", password="hunter2")

    assert engine.url.password == "hunter2"
    assert "hunter2" not in str(engine.url) + shown("postgresql://guard:hunter2@db/traffic")


def test_a_database_that_hangs_is_given_up_in_time(postgres_server: PostgresServer) -> None:
    """The server's statements have their bound; a silent one is tried in the drills."""
    engine = open_engine(postgres_server.make_database(), timeout_s=1)

    with engine.connect() as connection, pytest.raises(OperationalError, match="timeout"):
        connection.exec_driver_sql("SELECT pg_sleep(60)")
    engine.dispose()


def test_a_new_file_is_its_owners_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/folder/traffic.db"

    make_private(url)
    with open_engine(url).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        modes = [stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "folder").iterdir()]

    assert modes
    assert set(modes) == {0o600}
