"""What clients send beside a request's own fields: accepted, and nothing of it reaches the model.

The shapes are those of the clients named; the values are our own.
"""

from typing import Any

import pytest

from guard.wire.dropped_fields import DroppedFields
from guard.wire.fields import FieldRules
from guard.wire.protocols import CHAT
from guard.wire.responses import ResponsesProtocol

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
REPLY = {"role": "assistant", "content": "Wait."}


def part(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


# Client -> what it adds to an assistant's message of an earlier turn.
REPLIES: dict[str, dict[str, Any]] = {
    "LiteLLM, second turn": {
        "provider_specific_fields": {"refusal": None, "citations": ["CANARY"]},
        "thinking_blocks": [{"type": "thinking", "thinking": "CANARY", "signature": "CANARY"}],
        "function_call": None,
    },
    "openai, parse": {"parsed": {"answer": "CANARY"}, "audio": None},
    "OpenRouter": {"reasoning_details": [{"type": "reasoning.text", "text": "CANARY"}]},
    "AI SDK": {"id": "CANARY", "createdAt": "CANARY"},
    "Anthropic's marks": {"cache_control": {"type": "CANARY"}, "is_error": True},
}


@pytest.mark.parametrize("added", REPLIES.values(), ids=REPLIES)
def test_what_clients_add_to_an_earlier_answer_is_dropped(added: dict[str, Any]) -> None:
    question, more = ({"role": "user", "content": text} for text in ("Look.", "And now?"))
    result = {"role": "tool", "tool_call_id": "c1", "content": "grey"}
    turns: list[dict[str, Any]] = [question, {**REPLY, "tool_calls": [CALL]}, result, more]
    sent: list[object] = [question, {**REPLY, "tool_calls": [CALL], **added}, result, more]
    body: dict[str, object] = {"model": "demo", "messages": sent}

    call = CHAT.parse(body, FieldRules(drop_unknown=False), None)

    assert call.body["messages"] == turns


# Client -> what it adds to a chat request. No table names these: they are dropped as unknown.
REQUESTS: dict[str, dict[str, Any]] = {
    "OpenRouter": {
        "reasoning": {"effort": "low"},
        "usage": {"include": True},
        "transforms": ["CANARY"],
        "provider": {"order": ["CANARY"]},
    },
    "Qwen's and Anthropic's thinking": {"thinking": {"type": "enabled", "budget_tokens": 9}},
    "Ollama": {"keep_alive": "5m", "options": {"num_ctx": 9}},
    "llama.cpp": {"cache_prompt": True},
    "older vLLM": {"guided_json": {"title": "CANARY"}},
}


@pytest.mark.parametrize("added", REQUESTS.values(), ids=REQUESTS)
def test_what_clients_add_to_a_request_is_dropped_and_named(added: dict[str, Any]) -> None:
    dropped = DroppedFields()
    body: dict[str, Any] = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}

    call = CHAT.parse({**body, **added}, FieldRules(dropped=dropped), None)

    assert call.body == body
    assert dropped.listed == ", ".join(added)
    assert set(dropped.labels) == set(added)


# Codex CLI and Copilot CLI over `/v1/responses`: a second turn, after two calls of tools.
AGENT: dict[str, Any] = {
    "model": "demo",
    "instructions": "Help with the code.",
    "input": [
        {"type": "message", "role": "developer", "content": [part("Be careful.")]},
        {"type": "message", "role": "user", "content": [part("Rename it.")], "phase": None},
        {"type": "reasoning", "summary": [], "encrypted_content": "CANARY"},
        {"type": "function_call", "name": "run", "arguments": "{}", "call_id": "c1"},
        {"type": "function_call_output", "call_id": "c1", "output": [part("a.py")]},
        {"type": "custom_tool_call", "name": "patch", "input": "- a\n+ b", "call_id": "c2"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "changed"},
    ],
    "tools": [
        {"type": "function", "name": "run", "strict": False, "parameters": {"type": "object"}},
        {
            "type": "custom",
            "name": "patch",
            "description": "Changes files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /CANARY/"},
        },
        {
            "type": "namespace",
            "name": "crm",
            "description": "Customers.",
            "tools": [{"type": "function", "name": "find", "parameters": {"type": "object"}}],
        },
        {"type": "web_search", "external_web_access": False},
        {"type": "local_shell"},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "CANARY",
    "text": {"verbosity": "low"},
    "client_metadata": {"installation": "CANARY"},
}


def test_coding_agents_over_responses() -> None:
    dropped = DroppedFields()

    call = ResponsesProtocol().parse(AGENT, FieldRules(may_corrupt=True, dropped=dropped), None)

    assert dropped.listed == "tools.format, tools.web_search, tools.local_shell"
    assert "CANARY" not in str(call.body)
    messages: Any = call.body["messages"]
    roles = [message["role"] for message in messages]
    assert roles == ["system", "developer", "user", "assistant", "tool", "assistant", "tool"]
    texts = "\n".join(item.text for item in call.items)
    assert all(said in texts for said in ("Be careful.", "a.py", "+ b", "changed", "crm__find"))
