"""Records for tests."""

from typing import Any

from sqlalchemy import text

from guard.store.connection import open_engine
from guard.store.records import AuditRecord, Message, PromptRecord
from guard.terms.verdict import Action, Finding

NOON = 1_780_000_000.0  # 2026-05-28
FINDING = Finding("stop", "words", Action.BLOCK, 0.9, 0.5, (0,), p_benign=0.01, p_malicious=0.7)


def audit_record(**changes: Any) -> AuditRecord:
    """An audit record with every field filled."""
    fields: dict[str, Any] = {
        "time": NOON,
        "request_id": "r1",
        "key": "shop",
        "route": "/v1/chat/completions",
        "model": "demo",
        "action": "block",
        "status": 400,
        "latency_s": 0.25,
        "findings": (FINDING,),
        "artifacts": {"words": "ab" * 32},
        "prompt_tokens": 5,
        "completion_tokens": 2,
    }
    return AuditRecord(**{**fields, **changes})


def audit_rows(url: str) -> list[Any]:
    """All audit rows of a store, oldest first; their JSON is text on SQLite."""
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = list(connection.execute(text("SELECT * FROM audit ORDER BY id")).all())
    engine.dispose()
    return rows


def prompt_record(text: str = "hello", *, key: str = "shop", time: float = NOON) -> PromptRecord:
    """A prompt of one user message."""
    return PromptRecord(time, key, (Message("user", text),))
