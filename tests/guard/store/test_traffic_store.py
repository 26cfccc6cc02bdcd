"""The store over both databases: reading, deletion, retention, change of keys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from guard.settings import Store
from guard.store.connection import open_engine
from guard.store.records import Message, PromptRecord, StoreFault
from guard.store.traffic_store import TrafficStore, read_traffic
from guard.terms.errors import ConfigError, StoreError
from tests.guard.store.conftest import StoreMaker
from tests.guard.store.records import NOON, audit_record, prompt_record
from tests.postgres import PostgresServer

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ENCRYPTED = {"encryption_key_env": "PROMPT_KEYS"}


def test_prompts_are_read_in_order_with_roles_client_and_time(
    make_store: StoreMaker, store_url: str
) -> None:
    store = make_store()
    messages = (Message("system", "Be kind."), Message("user", "Grüß dich 🦉"))
    store.write(store.prepare([PromptRecord(NOON + 1, "shop", messages), prompt_record("first")]))

    first, second = read_traffic(store_url)

    assert first.text == "first"
    assert second.messages == messages
    assert second.text == "Be kind.\nGrüß dich 🦉"
    assert second.time == datetime.fromtimestamp(NOON + 1, UTC)
    assert first.client == second.client


def test_reading_goes_page_by_page(make_store: StoreMaker, store_url: str) -> None:
    store = make_store(capture={"daily_prompts_per_key": 2000})
    store.write(store.prepare([prompt_record(str(n), time=NOON + n) for n in range(1203)]))

    assert [prompt.text for prompt in read_traffic(store_url)] == [str(n) for n in range(1203)]


def test_encrypted_prompts_need_their_key(make_store: StoreMaker, store_url: str) -> None:
    store = make_store(environment={"PROMPT_KEYS": OLD}, capture=ENCRYPTED)
    store.write(store.prepare([prompt_record("the launch code")]))

    engine = open_engine(store_url)
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT messages FROM captured_prompts")).scalar_one()
    engine.dispose()

    assert b"launch" not in bytes(stored)
    with_key = {"encryption_key_env": "K", "environment": {"K": OLD}}
    assert [p.text for p in read_traffic(store_url, **with_key)] == ["the launch code"]  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="encryption_key_env"):
        list(read_traffic(store_url))
    with pytest.raises(StoreError, match="not listed"):
        list(read_traffic(store_url, encryption_key_env="K", environment={"K": NEW}))


def test_rotation_leaves_nothing_under_the_old_key(make_store: StoreMaker, store_url: str) -> None:
    plain = make_store()
    plain.write(plain.prepare([prompt_record("a")]))
    old = make_store(environment={"PROMPT_KEYS": OLD}, capture=ENCRYPTED)
    old.write(old.prepare([prompt_record("b")]))
    both = make_store(environment={"PROMPT_KEYS": f"{NEW},{OLD}"}, capture=ENCRYPTED)

    assert both.rotate() == 2

    found = read_traffic(store_url, encryption_key_env="K", environment={"K": NEW})
    assert {prompt.text for prompt in found} == {"a", "b"}
    assert both.status().encrypted == 2
    with pytest.raises(StoreError, match="encryption_key_env: not set"):
        plain.rotate()


def test_deletion_takes_one_keys_prompts(make_store: StoreMaker) -> None:
    store = make_store(capture={"daily_prompts_per_key": 2000})
    records = [prompt_record(str(n)) for n in range(600)]
    store.write(store.prepare([*records, prompt_record("kept", key="lab"), audit_record()]))

    assert store.delete("shop") == {"captured_prompts": 600}
    assert store.delete("nobody") == {"captured_prompts": 0}

    assert [prompt.text for prompt in store.prompts()] == ["kept"]
    assert store.status().audit_rows == 1
    assert store.delete("shop", with_audit=True) == {"captured_prompts": 0, "audit": 1}


def test_deleted_text_is_gone_from_sqlites_files(tmp_path: Path) -> None:
    store = TrafficStore(Store(url=f"sqlite:///{tmp_path}/traffic.db"))
    store.upgrade()
    store.write(store.prepare([prompt_record("the launch code")]))

    store.delete("shop")

    assert not [f for f in tmp_path.iterdir() if b"launch code" in f.read_bytes()]
    store.close()


def test_retention_has_a_limit_for_each_table(make_store: StoreMaker) -> None:
    store = make_store(audit={"retention_days": 10}, capture={"retention_days": 5})
    ages = (0, 4, 6, 9, 11)
    times = [NOON - age * 86_400 - 60 for age in ages]
    store.write(
        store.prepare(
            [audit_record(time=time) for time in times]
            + [prompt_record(str(age), time=time) for age, time in zip(ages, times, strict=True)]
        )
    )
    now = datetime.fromtimestamp(NOON, UTC)

    assert store.purge(now) == {"audit": 1, "captured_prompts": 3}
    assert [prompt.text for prompt in store.prompts()] == ["4", "0"]
    assert store.purge(now + timedelta(days=100)) == {"audit": 4, "captured_prompts": 2}


def test_status_counts(make_store: StoreMaker) -> None:
    store = make_store()
    store.write(store.prepare([audit_record(), prompt_record("a"), prompt_record("b", key="lab")]))

    status = store.status()

    assert (status.audit_rows, status.prompts, status.encrypted, status.clients) == (1, 2, 0, 2)
    assert status.oldest_prompt == status.newest_prompt == datetime.fromtimestamp(NOON, UTC)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        list(read_traffic(f"sqlite:///{tmp_path}/traffic.db"))
    assert not list(tmp_path.iterdir())


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be taken for one " * 40)

    with pytest.raises(StoreError, match="not a database"):
        list(read_traffic(f"sqlite:///{file}"))
    with pytest.raises(ConfigError, match="K is not set"):
        list(read_traffic(f"sqlite:///{file}", encryption_key_env="K", environment={}))


def test_sqlite_is_upgraded_at_start_and_postgresql_only_if_told(store_url: str) -> None:
    store = TrafficStore(Store(url=store_url))
    if store_url.startswith("sqlite"):
        store.open()
        assert store.status().revision == "0004"
    else:
        with pytest.raises(StoreError, match="run `ecoguard store upgrade`"):
            store.open()
        told = TrafficStore(Store(url=store_url, auto_upgrade=True))
        told.open()
        store.open()
        told.close()
    store.close()


def test_a_folder_that_cannot_be_made_is_a_configuration_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = TrafficStore(Store(url=f"sqlite:///{tmp_path}/file/traffic.db"))

    with pytest.raises(StoreError, match=r"store\.url: .*(Not a directory|File exists)"):
        store.open()


def test_a_server_that_is_down_may_come_back(postgres_server: PostgresServer) -> None:
    store = TrafficStore(Store(url=postgres_server.make_database(), auto_upgrade=True))
    postgres_server.kill()
    try:
        with pytest.raises(StoreFault) as caught:
            store.open()
        assert caught.value.reason == "dead"
        with pytest.raises(StoreError, match="connection"):
            store.status()
    finally:
        postgres_server.start()
    store.open()
    store.close()
