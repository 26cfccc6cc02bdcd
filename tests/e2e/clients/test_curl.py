"""curl, as documentation and shell scripts use it."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.e2e.clients.requests import ENDLESS, QUESTION, asking
from tests.e2e.clients.service import BLOCKED, REFUSAL, Service

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl"),
]


def curl(*arguments: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    """The status and the body of an answer."""
    sent = ["-H", "Content-Type: application/json", "-d", "@-"] if body else []
    done = subprocess.run(
        ["curl", "-sS", "-m", "60", "-w", "\n%{http_code}", *arguments, *sent],
        input=json.dumps(body) if body else None,
        capture_output=True,
        text=True,
        check=True,
    )
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), answer


def chat(service: Service, text: str, *options: str, **more: Any) -> tuple[int, str]:
    body = {"model": service.model, "messages": asking(text), "max_tokens": 8, **more}
    key = ["-H", f"Authorization: Bearer {service.key}"]
    return curl(*options, *key, f"{service.url}/chat/completions", body=body)


def events(stream: str) -> list[str]:
    return [line.removeprefix("data: ") for line in stream.splitlines() if line]


def test_json(proxy: Service) -> None:
    status, answer = chat(proxy, QUESTION)

    assert status == 200
    assert json.loads(answer)["object"] == "chat.completion"


def test_a_stream(proxy: Service) -> None:
    status, stream = chat(proxy, QUESTION, "-N", stream=True)

    *chunks, last = events(stream)
    assert (status, last) == (200, "[DONE]")
    assert {json.loads(chunk)["object"] for chunk in chunks} == {"chat.completion.chunk"}


def test_headers(proxy: Service) -> None:
    key = f"Authorization: Bearer {proxy.key}"
    _, answer = curl(
        "-i",
        "-H",
        key,
        "-H",
        "X-Request-Id: mine",
        f"{proxy.url}/chat/completions",
        body={"model": "demo", "messages": asking(QUESTION), "max_tokens": 1},
    )

    assert "x-request-id: mine" in answer.lower().splitlines()


@pytest.mark.parametrize("stream", [False, True])
def test_a_block(proxy: Service, stream: bool) -> None:
    status, answer = chat(proxy, BLOCKED, "-N", stream=stream)

    assert (status, json.loads(answer)["error"]["code"]) == (400, "content_filter")


def test_a_refusal_as_a_message(polite_proxy: Service) -> None:
    status, answer = chat(polite_proxy, BLOCKED)
    _, stream = chat(polite_proxy, BLOCKED, "-N", stream=True)

    assert (status, json.loads(answer)["choices"][0]["message"]["content"]) == (200, REFUSAL)
    first, ended, last = events(stream)
    assert json.loads(first)["choices"][0]["delta"]["content"] == REFUSAL
    assert json.loads(ended)["choices"][0]["finish_reason"] == "content_filter"
    assert last == "[DONE]"


def test_mistakes(proxy: Service) -> None:
    wrong_key, _ = curl("-H", "Authorization: Bearer wrong", f"{proxy.url}/models")
    unknown, _ = chat(proxy, QUESTION, model="nobody")
    too_long, answer = chat(proxy, ENDLESS)

    assert (wrong_key, unknown, too_long) == (401, 404, 400)
    assert json.loads(answer)["error"]["code"] == "context_length_exceeded"
