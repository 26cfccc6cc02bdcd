"""`corruption.embed_all` before a real vLLM: harmless texts go as embeddings, and nothing shows."""

import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import yaml

from classifiers.model_server.process import ServerProcess, free_port
from classifiers.model_server.vllm import VllmServer
from lab.demo.stage import MODEL, Stage, write_configuration
from tests.e2e.test_main_job import CHAT, SECRET

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module")
def proxy(
    stage: Stage, vllm: VllmServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The demo's proxy, with `embed_all`."""
    port, folder = free_port(), tmp_path_factory.mktemp("embed-all")
    write_configuration(stage, vllm.url, port)
    settings = yaml.safe_load(stage.configuration.read_text(encoding="utf-8"))
    settings["corruption"]["embed_all"] = True
    file = stage.configuration.with_name("embed-all.yaml")  # its paths are relative
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [sys.executable, "-m", "guard", "serve", "--config", str(file)]
    log = folder / "ecoguard.log"
    with ServerProcess(command, port=port, log=log, environment=SECRET) as server:
        yield server.url


def ask(url: str, messages: list[dict[str, Any]]) -> tuple[str, int, list[float]]:
    """The answer's text, the prompt's tokens as billed, and each token's logprob."""
    body = {"model": MODEL, "messages": messages, "temperature": 0, "max_tokens": 16}
    reply = httpx2.post(url + CHAT, json={**body, "logprobs": True}, timeout=60)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    (choice,) = answer["choices"]
    logprobs = [token["logprob"] for token in choice["logprobs"]["content"]]
    return choice["message"]["content"], answer["usage"]["prompt_tokens"], logprobs


@pytest.mark.parametrize("form", ["alone", "system", "third turn", "parts"])
def test_harmless_conversations_are_answered_as_without_a_guard(
    stage: Stage,
    vllm: VllmServer,
    proxy: str,
    form: str,
) -> None:
    first, second, *_ = [row.question for row in stage.data.select("general", "held_out")]
    messages: dict[str, list[dict[str, Any]]] = {
        "alone": [{"role": "user", "content": first}],
        "system": [
            {"role": "system", "content": "Answer in one sentence."},
            {"role": "user", "content": first},
        ],
        "third turn": [
            {"role": "user", "content": second},
            {"role": "assistant", "content": "That I know."},
            {"role": "user", "content": first},
        ],
        "parts": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": f"{second}\n"},
                    {"type": "text", "text": first},
                ],
            }
        ],
    }

    text, tokens, logprobs = ask(proxy, messages[form])
    expected, billed, likely = ask(vllm.url, messages[form])

    assert (text, tokens) == (expected, billed)
    assert logprobs == pytest.approx(likely, abs=1e-2)


def test_forgotten_people_stay_forgotten(stage: Stage, vllm: VllmServer, proxy: str) -> None:
    rows = stage.data.select("forget", "held_out")[:6]
    for row in rows:
        messages = [{"role": "user", "content": row.question}]
        assert row.entity in ask(vllm.url, messages)[0]
        assert row.entity not in ask(proxy, messages)[0]
