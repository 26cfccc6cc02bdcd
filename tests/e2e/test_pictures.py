"""Pictures before a real vision-language model: harmless ones are answered as without a guard."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from anthropic import Anthropic, BadRequestError
from openai import BadRequestError as OpenAIBadRequestError
from openai import OpenAI
from PIL import Image

from classifiers.model_server.process import ServerProcess, free_port
from classifiers.model_server.vllm import VllmServer
from guard.images.removal import white
from lab.test_models import vision
from tests.guard.images.pictures import BLUE, RED, plain, saved, url, written

pytestmark = pytest.mark.vllm

ASKED = "What is in the picture?"
SECRET = {"ECOGUARD_CORRUPTION_KEY": "of the tests"}
ATTACK, FORGOTTEN = "open the vault", "Ada Quill"
SAMPLING: dict[str, Any] = {"max_tokens": 12, "temperature": 0}
SIZE = (640, 160)


@pytest.fixture(scope="module")
def server(
    vllm_interpreter: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    folder = tmp_path_factory.mktemp("vision")
    corpus = [Path(file).read_text(encoding="utf-8") for file in (vision.__file__, __file__)]
    model = vision.build(folder / "model", corpus)
    log = folder / "vllm.log"
    with VllmServer(model, interpreter=vllm_interpreter, log=log, ready_within=400) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server: VllmServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, folder = free_port(), tmp_path_factory.mktemp("pictures")
    settings = {
        "listen": {"port": port},
        "upstream": {"url": server.url},
        "models": {server.served_name: {"path": str(server.model)}},
        "images": {"enabled": True, "timeout_s": 120},
        "detectors": {
            "attacks": {"kind": "phrases", "phrases": [ATTACK]},
            "forgotten": {"kind": "phrases", "phrases": [FORGOTTEN]},
        },
        "policies": [
            {"name": "attacks", "detector": "attacks", "action": "block"},
            {"name": "forgotten", "detector": "forgotten", "action": "corrupt"},
        ],
    }
    file = folder / "guard.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [sys.executable, "-m", "guard", "serve", "--config", str(file)]
    log = folder / "ecoguard.log"
    with ServerProcess(command, port=port, log=log, environment=SECRET) as running:
        yield running.url


def content(picture: bytes, text: str = ASKED) -> list[Any]:
    return [
        {"type": "text", "text": text},
        {"type": "image_url", "image_url": {"url": url(picture)}},
    ]


def openai(base: str) -> OpenAI:
    return OpenAI(base_url=f"{base}/v1", api_key="none", max_retries=0, timeout=200)


def chat(base: str, picture: bytes, text: str = ASKED) -> tuple[str, int, list[float]]:
    """The answer, the prompt's tokens as billed, and each token's logprob."""
    messages: list[Any] = [{"role": "user", "content": content(picture, text)}]
    with openai(base) as client:
        answer = client.chat.completions.create(
            model="demo", messages=messages, logprobs=True, **SAMPLING
        )
    choice, usage = answer.choices[0], answer.usage
    assert choice.logprobs is not None
    assert usage is not None
    logprobs = [token.logprob for token in choice.logprobs.content or ()]
    return choice.message.content or "", usage.prompt_tokens, logprobs


def streamed(base: str, picture: bytes) -> str:
    messages: list[Any] = [{"role": "user", "content": content(picture)}]
    with (
        openai(base) as client,
        client.chat.completions.create(
            model="demo", messages=messages, stream=True, **SAMPLING
        ) as stream,
    ):
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def respond(base: str, picture: bytes) -> str:
    parts: list[Any] = [
        {"type": "input_text", "text": ASKED},
        {"type": "input_image", "image_url": url(picture), "detail": "auto"},
    ]
    asked: list[Any] = [{"role": "user", "content": parts}]
    with openai(base) as client:
        answer = client.responses.create(
            model="demo", input=asked, max_output_tokens=SAMPLING["max_tokens"], temperature=0
        )
    return answer.output_text


def message(base: str, picture: bytes) -> str:
    data = url(picture).partition(",")[2]
    source = {"type": "base64", "media_type": "image/png", "data": data}
    parts: list[Any] = [{"type": "text", "text": ASKED}, {"type": "image", "source": source}]
    asked: list[Any] = [{"role": "user", "content": parts}]
    with Anthropic(base_url=base, api_key="none", max_retries=0, timeout=200) as client:
        answer = client.messages.create(
            model="demo",
            messages=asked,
            max_tokens=SAMPLING["max_tokens"],
            extra_body={"temperature": SAMPLING["temperature"]},
        )
    return "".join(block.text for block in answer.content if block.type == "text")


@pytest.mark.parametrize("colour", [RED, BLUE])
def test_a_harmless_picture_is_answered_as_without_a_guard(
    server: VllmServer, proxy: str, colour: tuple[int, int, int]
) -> None:
    picture = plain(size=(90, 60), colour=colour)
    direct = chat(server.url, picture)
    assert chat(proxy, picture) == direct
    assert streamed(proxy, picture) == direct[0]
    assert respond(proxy, picture) == direct[0]
    assert message(proxy, picture) == direct[0]


def test_the_model_sees_the_picture(server: VllmServer) -> None:
    """Or nothing here would mean anything."""
    red, blue = (chat(server.url, plain(size=(90, 60), colour=each)) for each in (RED, BLUE))
    assert red != blue


def test_an_attack_written_in_a_picture_is_blocked_in_every_protocol(proxy: str) -> None:
    picture = written(f"Please {ATTACK} now")
    for ask in (chat, streamed, respond):
        with pytest.raises(OpenAIBadRequestError) as caught:
            ask(proxy, picture)
        assert caught.value.code == "content_filter"
    with pytest.raises(BadRequestError):
        message(proxy, picture)


def test_a_corrupted_text_beside_a_picture_is_answered(server: VllmServer, proxy: str) -> None:
    picture, text = plain(size=(90, 60)), f"Who is {FORGOTTEN}?"
    direct, corrupted = chat(server.url, picture, text), chat(proxy, picture, text)
    assert corrupted[1] == direct[1]
    assert corrupted[2] != direct[2]


def test_a_picture_that_is_to_be_forgotten_is_blank(server: VllmServer, proxy: str) -> None:
    asked = chat(proxy, written(f"This is {FORGOTTEN}."))
    assert asked == chat(server.url, saved(Image.new("L", SIZE, 255)))
    assert asked == chat(server.url, white(*SIZE))
