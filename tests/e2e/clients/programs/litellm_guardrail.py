"""LiteLLM's own guardrail hook, which its proxy calls before and after each model call."""

import asyncio
import json
import sys
from typing import Any

from litellm.proxy.guardrails.guardrail_hooks.generic_guardrail_api.generic_guardrail_api import (
    GenericGuardrailAPI,
)


async def main(root: str, key: str, blocked: str) -> None:
    """Prints what LiteLLM made of EcoGuard's answers as one JSON object."""
    hook, stranger = (
        GenericGuardrailAPI(api_base=root, api_key=own, guardrail_name="ecoguard", default_on=True)
        for own in (key, "wrong")
    )
    messages = [{"role": "user", "content": blocked}]
    result = {
        "passed": await _applied(hook, {"texts": ["Hello."]}, "request"),
        "blocked": await _applied(
            hook, {"texts": [blocked], "structured_messages": messages}, "request"
        ),
        "answer": await _applied(hook, {"texts": [blocked]}, "response"),
        "stranger": await _applied(stranger, {"texts": ["Hello."]}, "request"),
    }
    sys.stdout.write(json.dumps(result) + "\n")


async def _applied(hook: Any, inputs: dict[str, Any], side: str) -> Any:
    """What goes on, or the error's class and message."""
    try:
        return await hook.apply_guardrail(inputs=inputs, request_data={}, input_type=side)
    except Exception as error:
        return [type(error).__name__, str(error)]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
