"""What a vLLM server says about the model it serves: its folder, its length, its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

PATIENCE_S = 30.0


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
        answer = _ask("POST", f"{self.url}/tokenize", self.headers, body)
        if answer.status != 200:
            return None
        found = _object(answer, self.url).get("tokens")
        return [int(token) for token in found] if isinstance(found, list) else None


def describe(url: str, model: str | None = None, api_key: str | None = None) -> ServedModel:
    """The served model of that name, or the only one; ConfigError where there is none such."""
    url = url.rstrip("/")
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    answer = _ask("GET", f"{url}/v1/models", headers)
    if answer.status != 200:
        raise ConfigError(f"url: {url}/v1/models answered with status {answer.status}")
    served = _object(answer, url).get("data")
    models = [entry for entry in served or [] if isinstance(entry, dict)]
    chosen = [entry for entry in models if model in (None, entry.get("id"))]
    if len(chosen) != 1:
        names = ", ".join(str(entry.get("id")) for entry in models)
        raise ConfigError(f"model: {url} serves no {model or 'single model'} (but: {names})")
    name, longest = str(chosen[0].get("id")), chosen[0].get("max_model_len")
    if not isinstance(longest, int):
        raise ConfigError(f"url: {url}/v1/models does not say max_model_len: is it vLLM?")
    return ServedModel(url, name, str(chosen[0].get("root") or name), longest, headers)


def _ask(
    method: str, address: str, headers: Mapping[str, str], body: object = None
) -> "BaseHTTPResponse":
    import urllib3

    content = None if body is None else orjson.dumps(body)
    sent = {**headers, **({"content-type": "application/json"} if content else {})}
    try:
        return urllib3.request(
            method,
            address,
            body=content,
            headers=sent,
            retries=False,
            redirect=False,
            timeout=PATIENCE_S,
        )
    except urllib3.exceptions.HTTPError as error:
        raise ConfigError(f"url: {address}: {type(error).__name__}") from error


def _object(answer: "BaseHTTPResponse", url: str) -> dict[str, Any]:
    try:
        content = orjson.loads(answer.data)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"url: {url} does not answer with JSON") from error
    if not isinstance(content, dict):
        raise ConfigError(f"url: {url} does not answer with a JSON object")
    return content
