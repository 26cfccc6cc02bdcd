"""What is written, how often, and for whom."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from guard.store.connection import open_engine
from guard.store.intake import Batch, Intake
from guard.store.records import Message, PromptRecord, Record
from guard.store.traffic_store import TrafficStore
from tests.guard.store.conftest import StoreMaker
from tests.guard.store.records import NOON, audit_record, prompt_record

DAY = 86_400.0


def rows(url: str, table: str) -> Sequence[Any]:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
    engine.dispose()
    return found


def test_an_audit_row_holds_all_of_the_record(make_store: StoreMaker, store_url: str) -> None:
    store = make_store()

    written = store.write(store.prepare([audit_record()]))

    assert (written.audit, written.prompts) == (1, 0)
    (row,) = rows(store_url, "audit")
    assert (row.request_id, row.key, row.route) == ("r1", "shop", "/v1/chat/completions")
    assert (row.action, row.status, row.latency_ms) == ("block", 400, 250)
    assert (row.prompt_tokens, row.completion_tokens) == (5, 2)
    assert "p_malicious" in str(row.findings)
    assert "ab" * 32 in str(row.artifacts)


def test_a_batch_written_twice_is_there_once(make_store: StoreMaker, store_url: str) -> None:
    """As after a connection that was lost while the commit was on its way."""
    store = make_store()
    batch = store.prepare([audit_record(), audit_record(), prompt_record()])

    store.write(batch)
    store.write(batch)

    assert len(rows(store_url, "audit")) == 2
    assert len(rows(store_url, "captured_prompts")) == 1


ODD = "a\x00b\ud800c🦉" + "x" * 300


def test_odd_characters_fit_every_database(make_store: StoreMaker, store_url: str) -> None:
    store = make_store(capture={"redaction": "none"})
    records: list[Record] = [audit_record(model=ODD, request_id="r\x00"), prompt_record(ODD)]

    store.write(store.prepare(records))

    (row,) = rows(store_url, "audit")
    assert (row.model[:7], len(row.model)) == ("a\ufffdb?c🦉x", 200)
    (prompt,) = store.prompts()
    assert prompt.text == ODD.replace("\ud800", "?")


def test_quotas_are_by_key_and_day(make_store: StoreMaker) -> None:
    store = make_store(capture={"daily_prompts_per_key": 2})
    records = [prompt_record(str(n)) for n in range(3)]
    records += [prompt_record("other", key="lab"), prompt_record("later", time=NOON + DAY)]

    written = store.write(store.prepare(records))
    again = store.write(store.prepare([prompt_record("more")]))

    assert (written.prompts, written.over_quota) == (4, 1)
    assert (again.prompts, again.over_quota) == (0, 1)
    assert list(written.spent) == ["shop"]
    assert {prompt.text for prompt in store.prompts()} == {"0", "1", "other", "later"}


def test_clients_are_opaque_and_the_same_for_every_writer(make_store: StoreMaker) -> None:
    first, second = make_store(), make_store()

    first.write(first.prepare([prompt_record(key="shop"), prompt_record(key="lab")]))
    second.write(second.prepare([prompt_record(key="shop")]))

    clients = [prompt.client for prompt in first.prompts()]
    assert len(clients) == 3
    assert len(set(clients)) == 2
    assert not any("shop" in client or "lab" in client for client in clients)


def fail(prompt: str) -> str:
    raise ValueError(prompt)


def test_a_prompt_that_cannot_be_redacted_is_not_stored() -> None:
    intake = Intake(open_engine("sqlite:///x"), redact=fail, cipher=None, quota=1)

    batch = intake.prepare([prompt_record("secret"), audit_record()])

    assert (len(batch), batch.unredacted) == (1, 1)
    assert "secret" not in str(batch)


def test_hooks_redact_before_the_built_in(make_store: StoreMaker) -> None:
    store = make_store(capture={"redaction_hook": "tests.guard.store.hooks:add_mail"})

    store.write(store.prepare([prompt_record("call 0301234567")]))

    (prompt,) = store.prompts()
    assert prompt.text == "call [PHONE] [EMAIL]"


def test_batches_grow_and_fall_apart(make_store: StoreMaker) -> None:
    store = make_store()
    batch = store.prepare([audit_record(), prompt_record("a")])
    batch.extend(store.prepare([prompt_record("b"), prompt_record("c", key="lab")]))

    singles = batch.singles()

    assert [len(single) for single in singles] == [1, 1, 1, 1]
    assert sum(written(store, single) for single in singles) == 4


def written(store: TrafficStore, batch: Batch) -> int:
    done = store.write(batch)
    return done.audit + done.prompts


def test_no_audit_column_holds_text_of_the_prompt(make_store: StoreMaker, store_url: str) -> None:
    store = make_store()
    prompt = PromptRecord(NOON, "shop", (Message("user", "the launch code"),))

    store.write(store.prepare([audit_record(), prompt]))

    assert "launch" not in str(rows(store_url, "audit"))


@pytest.mark.parametrize("count", [0, 1, 700])
def test_batches_of_any_size(make_store: StoreMaker, store_url: str, count: int) -> None:
    store = make_store()

    store.write(store.prepare([audit_record() for _ in range(count)]))

    assert len(rows(store_url, "audit")) == count
