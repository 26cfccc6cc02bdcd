"""LiteLLM as a client, by each of its three providers that EcoGuard serves, and what it raises."""

import json
import sys
from collections.abc import Callable
from typing import Any

import litellm

QUESTION = "Where was the author born?"
PROVIDERS = {"openai": "/v1", "hosted_vllm": "/v1", "anthropic": ""}


def main(root: str, polite_root: str, key: str, model: str, blocked: str) -> None:
    """Prints what LiteLLM made of it as one JSON object, by provider."""
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    result = {
        provider: _asked(
            _asker(f"{provider}/{model}", root + path, key),
            _asker(f"{provider}/{model}", polite_root + path, key),
            _asker(f"{provider}/{model}", root + path, "wrong"),
            _asker(f"{provider}/nobody", root + path, key),
            blocked,
        )
        for provider, path in PROVIDERS.items()
    }
    sys.stdout.write(json.dumps(result) + "\n")


Ask = Callable[..., Any]


def _asker(model: str, base: str, key: str) -> Ask:
    def ask(text: str, stream: bool = False) -> Any:
        answer = litellm.completion(
            model=model,
            api_base=base,
            api_key=key,
            messages=[{"role": "user", "content": text}],
            max_tokens=8,
            temperature=0,
            stream=stream,
            num_retries=0,
        )
        return list(answer) if stream else answer

    return ask


def _asked(ask: Ask, polite: Ask, wrong_key: Ask, unknown: Ask, blocked: str) -> dict[str, Any]:
    refused = polite(blocked).choices[0]
    return {
        "answer": ask(QUESTION).choices[0].message.content,
        "stream": _text(ask(QUESTION, stream=True)),
        "blocked": _raised(lambda: ask(blocked)),
        "blocked_stream": _raised(lambda: ask(blocked, stream=True)),
        "refused": [refused.message.content, refused.finish_reason],
        "refused_stream": _ended(polite(blocked, stream=True)),
        "wrong_key": _raised(lambda: wrong_key(QUESTION)),
        "unknown_model": _raised(lambda: unknown(QUESTION)),
        "too_long": _raised(lambda: ask("Tell me more. " * 1000)),
    }


def _text(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def _ended(chunks: list[Any]) -> list[str | None]:
    return [_text(chunks), chunks[-1].choices[0].finish_reason]


def _raised(call: Callable[[], object]) -> list[object]:
    """The exception's class and its status."""
    try:
        call()
    except Exception as error:
        return [type(error).__name__, getattr(error, "status_code", None)]
    return []


if __name__ == "__main__":
    main(*sys.argv[1:])
