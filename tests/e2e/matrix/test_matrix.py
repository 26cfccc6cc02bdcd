"""The matrix without its programs: what the scripted model does, what a row says."""

import json
from typing import Any

import httpx2
import pytest

from tests.e2e.bypass.recorder import Answered
from tests.e2e.matrix.agents import AGENTS
from tests.e2e.matrix.libraries import LIBRARIES
from tests.e2e.matrix.runs import SCRIPTS, Ran
from tests.e2e.matrix.scripted_model import ScriptedModel, scripted_call
from tests.e2e.matrix.table import Row, page
from tests.e2e.serving import served

READ: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file_path": {"type": "string"},
        "limit": {"type": "integer"},
        "how": {"enum": ["all", "some"]},
    },
    "required": ["file_path", "how"],
}


def tool(name: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def test_the_most_harmless_tool_is_called_as_its_schema_says() -> None:
    call = scripted_call([tool("delete_all"), tool("Bash"), tool("read_file", READ)])
    assert call is not None
    assert call["name"] == "read_file"
    assert json.loads(call["arguments"]) == {"file_path": "notes.txt", "how": "all"}
    assert scripted_call([tool("delete_all")]) is None


@pytest.mark.parametrize("stream", [False, True])
def test_a_result_is_answered_in_words(stream: bool) -> None:
    script = ScriptedModel("demo")
    first: dict[str, Any] = {"stream": stream, "tools": [tool("read")]}
    first["messages"] = [{"role": "user", "content": "hi"}]
    second = {**first, "messages": [{"role": "tool", "tool_call_id": "call_1", "content": "x"}]}
    with served(script.app) as url, httpx2.Client(base_url=url) as client:
        texts = [client.post("/v1/chat/completions", json=body).text for body in (first, second)]
    assert ["read" in text for text in texts] == [True, False]
    assert "Done." in texts[1]
    assert script.counted(Ran(1, 1, ())).called is True
    assert script.counted(Ran(1, 1, ())).called is False


def ran(*statuses: int, passed: int = 3, said: str = "") -> Ran:
    answers = tuple(Answered("/v1/messages", status, "", streamed=True) for status in statuses)
    return Ran(passed, 3, answers, said)


@pytest.mark.parametrize(
    ("direct", "proxied", "again", "lost"),
    [
        (ran(200), ran(200), "equal", False),
        (ran(200), ran(400), "", True),
        (ran(200), ran(200, passed=2), "", True),
        (ran(400), ran(400), "", False),
        (None, ran(200), "equal", False),
        (None, ran(), "", True),
        (ran(200), ran(200), "vLLM (200, 5), proxy (200, 4)", True),
        (ran(200, said="PASSED a b"), ran(200, said="PASSED a"), "", True),
        (ran(200, said="PASSED a"), ran(200, said="PASSED a b"), "", False),
    ],
)
def test_a_row_tells_what_is_lost(direct: Ran | None, proxied: Ran, again: str, lost: bool) -> None:
    row = Row("x", "1.0", "/v1/messages", direct, proxied, again, None)
    assert row.lost is lost
    assert "| x | 1.0 |" in page([row])


def test_what_cannot_be_installed_is_named() -> None:
    row = Row("x", "", "/v1/messages", None, None, "", "cannot be installed: OSError")
    assert not row.lost
    assert "cannot be installed" in page([row])


def test_every_program_is_there_and_pinned() -> None:
    assert {each.program for each in LIBRARIES} - {None} == {
        file.name for file in SCRIPTS.iterdir() if file.is_file()
    }
    packages = [agent.package for agent in AGENTS]
    packages += [each.packages[0] for each in LIBRARIES if each.packages]
    assert not [name for name in packages if not any(mark in name[5:] for mark in ("==", "@"))]
