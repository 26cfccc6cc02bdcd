"""LiteLLM: three turns, a stream, and a tool that must be called."""

import sys
from typing import Any

import litellm

ROOT, KEY, MODEL = sys.argv[1:4]
CITY = {"type": "string", "enum": ["Ulm", "Bonn"]}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": CITY}, "required": ["city"]}
SCHEMA |= {"additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
for provider in ("openai", "hosted_vllm"):
    given: dict[str, Any] = {
        "model": f"{provider}/{MODEL}",
        "api_base": f"{ROOT}/v1",
        "api_key": KEY,
    }
    given |= {"temperature": 0, "max_tokens": 100, "num_retries": 0}
    messages: list[Any] = []
    for words in ("Where was the author born?", "And who is it?", "Thank you."):
        messages.append({"role": "user", "content": words})
        answer = litellm.completion(messages=messages, **given).choices[0].message
        messages.append(answer.model_dump())
    pieces = list(litellm.completion(messages=messages[:1], stream=True, **given))
    assert any(piece.choices[0].delta.content for piece in pieces)
    named = {"type": "function", "function": {"name": "weather"}}
    calling = {"tools": [TOOL], "tool_choice": named}
    called = litellm.completion(messages=messages[:1], **calling, **given).choices[0].message
    assert called.tool_calls[0].function.name == "weather"
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "21 degrees"}
    litellm.completion(messages=[*messages[:1], called.model_dump(), result], tools=[TOOL], **given)
