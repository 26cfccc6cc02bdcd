"""The log's two forms, and that neither an error's words nor a prompt's get into it."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from guard.observability.logs import JsonLines, TextLines, configure, log_answer, log_loop_fault
from guard.settings import Logs
from tests.turns import turns

ANSWER: dict[str, Any] = {
    "request_id": "r1",
    "key": "shop",
    "route": "/v1/chat/completions",
    "status": 200,
    "action": "allow",
    "latency_s": 0.0123456,
}
SECRET = "the launch code"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leaves logging as it was found."""
    root, access = logging.getLogger(), logging.getLogger("guard.access")
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    access.setLevel(logging.NOTSET)
    logging.captureWarnings(False)
    logging.raiseExceptions = True


def configured(**settings: Any) -> io.StringIO:
    stream = io.StringIO()
    configure(Logs.model_validate(settings), stream)
    return stream


def raised() -> BaseException:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        return error


def test_an_answer_in_json() -> None:
    stream = configured(format="json", access=True)
    log_answer(**ANSWER)

    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "guard.access",
        "message": "answered",
        "request_id": "r1",
        "key": "shop",
        "route": "/v1/chat/completions",
        "status": 200,
        "action": "allow",
        "latency_ms": 12.35,
    }


def test_an_answer_in_text() -> None:
    stream = configured(access=True)
    log_answer(**ANSWER)

    assert stream.getvalue().endswith(
        "Z INFO guard.access answered request_id=r1 key=shop route=/v1/chat/completions"
        " status=200 action=allow latency_ms=12.35\n"
    )


def test_answers_are_left_out_unless_asked_for() -> None:
    stream = configured()
    log_answer(**ANSWER)
    logging.getLogger("guard").info("still here")

    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_errors_words_are_left_out(form: str) -> None:
    stream = configured(format=form)
    error = raised()
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    log_loop_fault(None, {"message": "Task exception was never retrieved", "exception": error})

    text = stream.getvalue()
    assert SECRET not in text
    assert text.count("ValueError") == 2
    assert text.count("test_logs.py") == 2
    assert "Task exception was never retrieved" in text


async def test_a_lost_tasks_error_is_told_without_its_words() -> None:
    stream = configured(format="json")
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_loop_fault)
    loop.call_soon(exec, f"raise RuntimeError({SECRET!r})")
    await turns()

    line = json.loads(stream.getvalue())
    assert line["exception"] == "RuntimeError"
    assert SECRET not in stream.getvalue()


def test_the_server_keeps_no_form_of_its_own() -> None:
    uvicorn.Config("app:none")  # configures its loggers
    stream = configured(format="json")
    logging.getLogger("uvicorn.error").info("Started")

    assert json.loads(stream.getvalue())["message"] == "Started"


def test_warnings_have_the_same_form() -> None:
    stream = configured(format="json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)

    assert json.loads(stream.getvalue())["logger"] == "py.warnings"


@given(st.text(st.characters(exclude_categories=[])))
def test_any_message_is_one_line(message: str) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (message,), "levelname": "INFO"})
    whole = JsonLines().format(record)

    assert len(whole.splitlines()) == 1
    assert json.loads(whole)["message"] == message
    assert len(TextLines().format(record).splitlines()) == 1
