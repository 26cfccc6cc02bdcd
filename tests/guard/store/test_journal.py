"""The journal: entries become records, some of them with the prompt."""

from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from guard.observability.metrics import Metrics
from guard.settings import Store
from guard.store.journal import Journal, open_journal
from guard.store.records import AuditRecord, Message, PromptRecord, Record
from guard.store.writer import TrafficWriter
from guard.terms.entry import Entry
from guard.terms.item import Item
from guard.terms.verdict import Action, Finding, Verdict

SPANS = (
    Item(("messages", 0, "content"), "system", "Be kind."),
    Item(("messages", 1, "content"), "user", "the launch code"),
)


class KeptRecords:
    """In the writer's place: keeps records in a list."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.spent: set[str] = set()

    def put(self, record: Record) -> None:
        self.records.append(record)

    def is_spent(self, key: str, day: date) -> bool:  # noqa: ARG002
        return key in self.spent

    @property
    def prompts(self) -> list[PromptRecord]:
        return [record for record in self.records if isinstance(record, PromptRecord)]

    @property
    def audits(self) -> list[AuditRecord]:
        return [record for record in self.records if isinstance(record, AuditRecord)]


def journal_over(kept: KeptRecords, metrics: Metrics | None = None, **sections: Any) -> Journal:
    settings = Store.model_validate(sections)
    writer = cast("TrafficWriter", kept)
    generator = np.random.default_rng(7)
    return Journal(settings, writer, metrics or Metrics(), generator)


def entry(**changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "key": "shop",
        "model": "demo",
        "texts": SPANS,
        "artifacts": {"words": "ab" * 32},
    }
    return Entry("r1", "/v1/chat/completions", **{**fields, **changes})


def close(journal: Journal, noted: Entry) -> None:
    journal.close(noted, status=200, action="allow", latency_s=0.5)


def test_an_audit_record_says_what_was_decided_and_why() -> None:
    kept = KeptRecords()
    fired = Finding("stop", "words", Action.BLOCK, 0.9, 0.5, (0,))
    passed = Finding("other", "words", Action.ALLOW, 0.1, 0.5)

    close(
        journal_over(kept),
        entry(verdicts={"prompt": Verdict((fired,), (passed,))}, prompt_tokens=5),
    )

    (record,) = kept.audits
    assert record.findings == (fired, passed)
    assert record.verdicts == {"prompt": "block"}
    assert (record.key, record.model, record.status, record.prompt_tokens) == (
        "shop",
        "demo",
        200,
        5,
    )
    assert record.artifacts == {"words": "ab" * 32}
    assert "launch" not in str(record)


def test_prompts_are_not_captured_unless_told() -> None:
    kept = KeptRecords()

    close(journal_over(kept), entry())

    assert len(kept.audits) == 1
    assert kept.prompts == []


def test_audit_can_be_off_while_prompts_are_captured() -> None:
    kept = KeptRecords()

    close(
        journal_over(kept, audit={"enabled": False}, capture={"enabled": True, "rate": 1}), entry()
    )

    assert kept.audits == []
    (prompt,) = kept.prompts
    assert prompt.messages == (Message("system", "Be kind."), Message("user", "the launch code"))


def test_a_share_of_the_prompts_is_sampled() -> None:
    kept = KeptRecords()
    journal = journal_over(kept, capture={"enabled": True, "rate": 0.1})

    for _ in range(2000):
        close(journal, entry())

    assert 140 < len(kept.prompts) < 260
    assert len(kept.audits) == 2000


NOT_TAKEN = [
    ("without texts", entry(texts=()), {}, None),
    ("excluded key", entry(), {"exclude_keys": ["shop"]}, None),
    ("spent quota", entry(key="lab"), {}, "quota"),
    ("too large", entry(), {"prompt_bytes": 22}, "large"),
]


@pytest.mark.parametrize(
    ("noted", "capture", "reason"),
    [row[1:] for row in NOT_TAKEN],
    ids=[row[0] for row in NOT_TAKEN],
)
def test_prompts_that_are_not_taken(
    noted: Entry, capture: dict[str, Any], reason: str | None
) -> None:
    kept, metrics = KeptRecords(), Metrics()
    kept.spent.add("lab")

    close(journal_over(kept, metrics, capture={"enabled": True, "rate": 1, **capture}), noted)

    assert kept.prompts == []
    dropped = metrics.registry.get_sample_value(
        "ecoguard_store_dropped_total", {"kind": "prompt", "reason": str(reason)}
    )
    assert dropped == (1 if reason else None)


def test_a_prompt_of_just_the_allowed_size_is_taken() -> None:
    kept = KeptRecords()
    capture = {"enabled": True, "rate": 1, "prompt_bytes": 23}

    close(journal_over(kept, capture=capture), entry())

    assert len(kept.prompts) == 1


def test_each_place_is_captured_once() -> None:
    """A nested field's items are its whole text, and then its long strings again."""
    whole = Item(("tools",), "tools", "name\nlong description")
    part = Item(("tools",), "tools", "long description")
    kept = KeptRecords()

    close(
        journal_over(kept, capture={"enabled": True, "rate": 1}),
        entry(texts=(*SPANS, whole, part)),
    )

    (prompt,) = kept.prompts
    assert [message.content for message in prompt.messages][2:] == ["name\nlong description"]


USAGE = [
    ("chat", [b'{"usage":{"prompt_tokens":5,"total_tokens":7,"completion_tokens":2}}'], (5, 2)),
    (
        "responses",
        [
            b'{"usage": {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 1}, '
            b'"output_tokens": 2}}'
        ],
        (5, 2),
    ),
    (
        "messages stream",
        [
            b'data: {"message":{"usage":{"input_tokens":5,"output_tokens":0}}}',
            b'data: {"type":"message_delta","usage":{"output_tokens":2}}',
        ],
        (5, 2),
    ),
    (
        "both events at once",
        [b'{"usage":{"input_tokens":5}}\n\n{"usage":{"output_tokens":2}}'],
        (5, 2),
    ),
    ("none", [b'{"usage":null}', b"data: [DONE]"], (None, None)),
    ("in the answer's text", [rb'{"content":"\"usage\":{\"prompt_tokens\":9}"}'], (None, None)),
    ("absurd", [b'{"usage":{"prompt_tokens":99999999999999999999}}'], (999999999, None)),
    ("not bytes of text", [b'\xff"usage":{\xfe'], (None, None)),
]


@pytest.mark.parametrize(
    ("chunks", "expected"), [row[1:] for row in USAGE], ids=[row[0] for row in USAGE]
)
def test_token_counts_are_read_from_answers(
    chunks: list[bytes], expected: tuple[int | None, int | None]
) -> None:
    noted = entry()
    for chunk in chunks:
        noted.read_usage(chunk)

    assert (noted.prompt_tokens, noted.completion_tokens) == expected


def test_a_journal_writes_what_it_was_given(tmp_path: Path) -> None:
    metrics = Metrics()
    journal = open_journal(Store(url=f"sqlite:///{tmp_path}/t.db"), metrics)
    journal.start()

    close(journal, entry())
    journal.stop()

    labels = {"kind": "audit"}
    assert metrics.registry.get_sample_value("ecoguard_store_written_total", labels) == 1
