"""The log: text or JSON on standard error, one line an event; ids and numbers, no prompt's text.

An exception's message may quote a prompt, whoever raised it: only its type and the places it
passed are written.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from guard.settings import Logs

logger = logging.getLogger(__name__)
_access = logging.getLogger("guard.access")

Fields = Mapping[str, object]


def configure(settings: Logs, stream: TextIO | None = None) -> None:
    """Send every logger of the process, the server's too, to `stream` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        server = logging.getLogger(name)
        server.handlers.clear()
        server.propagate = True
    logging.getLogger("alembic").setLevel(logging.WARNING)  # a line for each of its plug-ins
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # its report of a broken record would quote the record
    _access.setLevel(logging.INFO if settings.access else logging.WARNING)


def log_answer(
    *,
    request_id: str,
    key: str,
    route: str,
    status: int,
    action: str,
    latency_s: float,
    trace_id: str | None = None,
) -> None:
    """One line about an answered request; nothing is made of it where nobody reads it."""
    if not _access.isEnabledFor(logging.INFO):
        return
    fields: dict[str, object] = {
        "request_id": request_id,
        "key": key,
        "route": route,
        "status": status,
        "action": action,
        "latency_ms": round(latency_s * 1000, 2),
    }
    if trace_id:
        fields["trace_id"] = trace_id
    _access.info("answered", extra={"fields": fields})


def log_loop_fault(_loop: object, context: dict[str, object]) -> None:
    """The event loop's exception handler: asyncio's own would print the error's message."""
    error = context.get("exception")
    exception = error if isinstance(error, BaseException) else None
    logger.error("event loop: %s", context.get("message"), exc_info=exception)


class JsonLines(logging.Formatter):
    """A record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if fault := _fault(record):
            line["exception"], line["stack"] = fault
        return json.dumps(line, default=str)  # ASCII: one line, whatever the message


class TextLines(logging.Formatter):
    """A record as one line of text; a stack adds a line for each place."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        message = " ".join(record.getMessage().splitlines())
        line = f"{_time(record)} {record.levelname} {record.name} {message}{fields}"
        if fault := _fault(record):
            name, places = fault
            line = "\n".join([f"{line} {name}", *(f"    {place}" for place in places)])
        return line


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> Fields:
    fields: Fields = getattr(record, "fields", {})
    return fields


def _fault(record: logging.LogRecord) -> tuple[str, list[str]] | None:
    """The type of the record's exception and where it passed, innermost last."""
    if not record.exc_info or record.exc_info[0] is None:
        return None
    kind, _, traceback = record.exc_info
    return kind.__name__, list(_places(traceback))


def _places(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}"
        traceback = traceback.tb_next
