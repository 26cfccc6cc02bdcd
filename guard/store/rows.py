"""Records to rows and back: what exactly stands in the tables."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

from guard.store.records import AuditRecord, Message
from guard.terms.entry import Cut
from guard.terms.verdict import Finding

Row = dict[str, Any]


def row_id(time: float) -> str:
    """32 hex digits that sort by time (seconds since 1970) and are never drawn twice."""
    return f"{int(time * 1e6):016x}{secrets.token_hex(8)}"


def client_id(secret: bytes, key: str) -> str:
    """The opaque id of an API key's owner: a keyed hash, so that names cannot be tried out."""
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:32]


def moment(time: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(time, UTC)


def audit_row(record: AuditRecord) -> Row:
    """The row of an answered request."""
    return {
        "id": row_id(record.time),
        "time": moment(record.time),
        "request_id": _plain(record.request_id, 128),
        "key": _plain(record.key, 63),
        "route": _plain(record.route, 64),
        "model": _plain(record.model, 200),
        "action": record.action,
        "status": record.status,
        "latency_ms": round(record.latency_s * 1000, 3),
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.completion_tokens,
        "verdicts": dict(record.verdicts),
        "cuts": [cut_row(cut) for cut in record.cuts],
        "control_tokens": record.control_tokens,
        "findings": [finding_row(finding) for finding in record.findings],
        "artifacts": dict(record.artifacts),
    }


def cut_row(cut: Cut) -> Row:
    """Cut turns as JSON."""
    return {
        "turns": cut.turns,
        "noted": cut.noted,
        **({"pictures": cut.pictures} if cut.pictures else {}),
        "findings": [finding_row(finding) for finding in cut.findings],
    }


def finding_row(finding: Finding) -> Row:
    """A finding as JSON: an explicit list, so that no later field slips in with text."""
    return {
        "policy": finding.policy,
        "detector": finding.detector,
        "side": finding.side,
        "action": finding.action.label,
        "score": finding.score,
        "threshold": finding.threshold,
        "p_benign": finding.p_benign,
        "p_malicious": finding.p_malicious,
        "failed": finding.failed,
        "failure": finding.failure,
        "unread": finding.unread,
        "shadow": finding.shadow,
        "subjects": list(finding.subjects),
    }


def message_bytes(messages: Iterable[Message]) -> bytes:
    """Messages as JSON; half a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
    plain = [
        {"role": _encodable(message.role), "content": _encodable(message.content)}
        for message in messages
    ]
    return orjson.dumps(plain)


def read_messages(content: bytes) -> tuple[Message, ...]:
    """The messages that `message_bytes` wrote; ValueError for anything else."""
    try:
        return tuple(Message(item["role"], item["content"]) for item in orjson.loads(content))
    except (TypeError, KeyError) as error:
        raise ValueError("not messages") from error


def _plain(text: str, most: int) -> str:
    """What fits a column of any database: cut, without NULs."""
    return _encodable(text[:most]).replace("\x00", "\ufffd")


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()
