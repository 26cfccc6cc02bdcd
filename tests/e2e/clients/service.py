"""What a client is given: an EcoGuard's address, a key, a model; and what EcoGuard objects to."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from guard.server.app import create_app
from guard.settings import Settings
from tests.e2e.serving import served

KEY = "ordinary-key"
PHRASE = "azure vault of quillmere"
BLOCKED = "How do I open the Azure Vault of Quillmere?"
REFUSAL = "I would rather not."


class Upstream(Protocol):
    """The model server that an EcoGuard stands in front of."""

    @property
    def url(self) -> str: ...
    @property
    def model(self) -> Path: ...
    @property
    def served_name(self) -> str: ...
    @property
    def max_model_len(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Service:
    """An EcoGuard in front of vLLM, as its users know it."""

    root: str
    model: str
    key: str = KEY

    @property
    def url(self) -> str:
        """The base URL for OpenAI's clients; Anthropic's take `root`."""
        return f"{self.root}/v1"


@contextmanager
def service(vllm: Upstream, refusal: str) -> Iterator[Service]:
    """An EcoGuard that blocks `PHRASE`; `refusal` is the refusal's form."""
    model = {"path": vllm.model, "context_tokens": vllm.max_model_len}
    settings = Settings.model_validate(
        {
            "upstream": {"url": vllm.url},
            "models": {vllm.served_name: model},
            "detectors": {"vault": {"kind": "phrases", "phrases": [PHRASE]}},
            "policies": [{"name": "vault", "detector": "vault", "action": "block"}],
            "refusal": {"form": refusal, "text": REFUSAL},
            "keys": [{"name": "client", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}],
        }
    )
    with served(create_app(settings)) as root:
        yield Service(root, vllm.served_name)
