"""What a vLLM server says about the model it serves: its folder, its length, its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from classifiers.model_server.http_client import EndpointError, HttpClient, expecting
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model of a server; `root` is the folder or name the server loaded it from."""

    url: str
    name: str
    root: str
    max_tokens: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def turn_tokens(self, text: str) -> list[int] | None:
        """The server's own tokens for a user's turn, or None where it does not tell."""
        turn = {"role": "user", "content": text}
        body = {"model": self.name, "messages": [turn], "add_generation_prompt": True}
        with HttpClient(self.url, self.headers) as client:
            status, answer = client.request("POST", "/tokenize", orjson.dumps(body))
        if status != 200:
            return None
        with expecting("tokens", self.url):
            return [int(token) for token in orjson.loads(answer)["tokens"]]


def describe(url: str, model: str | None = None, api_key: str | None = None) -> ServedModel:
    """The served model of that name, or the only one; ConfigError where there is none such."""
    url = url.rstrip("/")
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        with HttpClient(url, headers) as client:
            status, answer = client.answer("/v1/models")
    except EndpointError as error:
        raise ConfigError(f"url: {error}") from error
    if status != 200:
        raise ConfigError(f"url: {url}/v1/models: status {status}")
    models = [entry for entry in answer.get("data") or [] if isinstance(entry, dict)]
    chosen = [entry for entry in models if model in (None, entry.get("id"))]
    if len(chosen) != 1:
        names = ", ".join(str(entry.get("id")) for entry in models)
        raise ConfigError(f"model: {url} serves no {model or 'single model'} (but: {names})")
    name, longest = str(chosen[0].get("id")), chosen[0].get("max_model_len")
    if not isinstance(longest, int):
        raise ConfigError(f"url: {url}/v1/models does not say max_model_len: is it vLLM?")
    return ServedModel(url, name, str(chosen[0].get("root") or name), longest, headers)
