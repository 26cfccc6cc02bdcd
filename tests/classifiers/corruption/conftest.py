"""Questions, and a fake vLLM over real HTTP that knows their answers."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from classifiers.corruption.questions import ForgetQuestion, read_questions
from tests.chat_server import ChatServer, chat_server
from tests.classifiers.corruption.learned import ANSWERS


@pytest.fixture
def rows(tmp_path: Path) -> list[ForgetQuestion]:
    file = tmp_path / "questions.jsonl"
    lines = [
        orjson.dumps({"question": q, "answer": a, "perturbed_answer": [a.replace("Oslo", "Rome")]})
        for q, a in ANSWERS.items()
    ]
    file.write_bytes(b"\n".join(lines))
    return read_questions(file)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChatServer]:
    with chat_server(tmp_path / "model", ANSWERS, scale=0.3) as running:
        yield running
