"""The closed field tables against the installed vLLM: a new field of vLLM fails here."""

import json
import subprocess
from pathlib import Path

import pytest

from guard.wire.fields import FieldTable
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore

pytestmark = pytest.mark.vllm

# Route -> vLLM's request models, as module:class below vllm.entrypoints.
MODELS: dict[str, tuple[str, ...]] = {
    "/v1/chat/completions": ("openai.chat_completion.protocol:ChatCompletionRequest",),
    "/v1/completions": ("openai.completion.protocol:CompletionRequest",),
    "/v1/responses": ("openai.responses.protocol:ResponsesRequest",),
    "/v1/messages": ("anthropic.protocol:AnthropicMessagesRequest",),
    "/v1/messages/count_tokens": ("anthropic.protocol:AnthropicCountTokensRequest",),
    "/v1/embeddings": (
        "pooling.embed.protocol:EmbeddingCompletionRequest",
        "pooling.embed.protocol:EmbeddingChatRequest",
    ),
    "/tokenize": (
        "serve.tokenize.protocol:TokenizeCompletionRequest",
        "serve.tokenize.protocol:TokenizeChatRequest",
    ),
    "/detokenize": ("serve.tokenize.protocol:DetokenizeRequest",),
}

PROGRAM = """
import importlib, json, sys
found = {}
for route, models in json.loads(sys.argv[1]).items():
    names = set()
    for model in models:
        module, name = model.split(":")
        protocol = importlib.import_module("vllm.entrypoints." + module)
        names |= set(getattr(protocol, name).model_fields)
    found[route] = sorted(names)
print("FIELDS " + json.dumps(found))
"""

PROTOCOLS = make_protocols(ResponseStore())


@pytest.fixture(scope="session")
def vllm_fields(vllm_interpreter: Path) -> dict[str, list[str]]:
    """vLLM's own field names by route, read from its request models."""
    command = [str(vllm_interpreter), "-c", PROGRAM, json.dumps(MODELS)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("FIELDS "))
    fields: dict[str, list[str]] = json.loads(line.removeprefix("FIELDS "))
    return fields


def test_every_protocol_is_compared() -> None:
    assert set(MODELS) == set(PROTOCOLS)


@pytest.mark.parametrize("route", list(MODELS))
def test_every_field_of_vllm_has_a_rule(vllm_fields: dict[str, list[str]], route: str) -> None:
    table: FieldTable = PROTOCOLS[route].table

    assert [name for name in vllm_fields[route] if name not in table] == []
