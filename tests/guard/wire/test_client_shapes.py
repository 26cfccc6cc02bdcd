"""What clients send beside a request's own fields: accepted, and nothing of it reaches the model.

The shapes are those of the clients named; the values are our own.
"""

from typing import Any

import pytest

from guard.wire.dropped_fields import DroppedFields
from guard.wire.fields import FieldRules
from guard.wire.messages import MessagesProtocol
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


# Codex CLI's second turn: its own ids and states of items, and what it says of itself.
CODEX_TURN: dict[str, Any] = {
    "model": "demo",
    "stream": True,
    "input": [
        {"type": "message", "id": "m1", "role": "developer", "content": [part("Be careful.")]},
        {"type": "message", "id": "m2", "role": "user", "content": [part("Look at it.")]},
        {
            "type": "function_call",
            "status": "completed",
            "id": "f1",
            "name": "look",
            "arguments": "{}",
            "call_id": "c1",
        },
        {"type": "function_call_output", "id": "f2", "call_id": "c1", "output": "nothing yet"},
        {
            "type": "message",
            "status": "completed",
            "id": "m3",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Done.", "annotations": []}],
        },
        {"type": "message", "id": "m4", "role": "user", "content": [part("Thank you.")]},
    ],
    "tools": [{"type": "function", "name": "look", "strict": False, "parameters": {}}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"summary": "auto"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "CANARY",
    "client_metadata": {"session_id": "CANARY", "turn_id": "CANARY"},
}
CALLS = [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
CHAT_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object"}},
}
# Copilot CLI, opencode and Qwen Code over chat, by what each adds of its own.
CHAT_AGENTS: dict[str, dict[str, Any]] = {
    "Copilot CLI": {
        "messages": [
            {"role": "system", "content": "Be careful."},
            {"role": "user", "content": "Look at it."},
            {"role": "assistant", "content": None, "tool_calls": CALLS},
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": "nothing yet",
                "__copilotMessageSource": {"kind": "tool", "summary": "CANARY"},
            },
        ],
        "temperature": 0,
        "top_p": 0.95,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    },
    "opencode": {
        "messages": [
            {"role": "system", "content": "Be careful."},
            {"role": "user", "content": "Look at it."},
            {"role": "assistant", "content": "", "tool_calls": CALLS},
            {"role": "tool", "tool_call_id": "c1", "content": "nothing yet"},
            {"role": "assistant", "content": "Done."},
            {"role": "user", "content": "Thank you."},
        ],
        "max_tokens": 1024,
        "tool_choice": "auto",
    },
    "Qwen Code": {
        "messages": [
            {"role": "system", "content": "Be careful."},
            {"role": "user", "content": [{"type": "text", "text": "Look at it."}]},
            {"role": "assistant", "content": None, "tool_calls": CALLS},
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [{"type": "text", "text": "nothing yet"}],
            },
        ],
        "max_tokens": 32000,
    },
}
# Claude Code's second turn over `/v1/messages`: a system message in between, an edited context.
CLAUDE_TURN: dict[str, Any] = {
    "model": "demo",
    "max_tokens": 32000,
    "stream": True,
    "system": [
        {"type": "text", "text": "Be careful."},
        {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Look at it."}]},
        {"role": "system", "content": "It is morning."},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {"at": "it"}}],
        },
        {
            "role": "user",
            "content": [{"tool_use_id": "c1", "type": "tool_result", "content": "nothing yet"}],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "Done."}]},
        {"role": "user", "content": "Thank you."},
    ],
    "tools": [
        {"name": "look", "description": "Look.", "input_schema": {"type": "object"}},
        {"name": "later", "input_schema": {"type": "object"}, "defer_loading": True},
    ],
    "metadata": {"user_id": "CANARY"},
    "thinking": {"type": "adaptive", "display": "omitted"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
}
SAID = ("Be careful.", "Look at it.", "nothing yet", "look")


def test_codex_goes_on() -> None:
    dropped = DroppedFields()

    call = ResponsesProtocol().parse(CODEX_TURN, FieldRules(dropped=dropped), None)

    messages: Any = call.body["messages"]
    roles = [message["role"] for message in messages]
    assert roles == ["developer", "user", "assistant", "tool", "assistant", "user"]
    assert dropped.listed == ""
    assert "CANARY" not in str(call.body)
    texts = "\n".join(item.text for item in call.items)
    assert all(said in texts for said in SAID)


@pytest.mark.parametrize("own", CHAT_AGENTS.values(), ids=CHAT_AGENTS)
def test_agents_over_chat(own: dict[str, Any]) -> None:
    sent = {"model": "demo", "stream": True, "stream_options": {"include_usage": True}}

    call = CHAT.parse({**sent, **own, "tools": [CHAT_TOOL]}, FieldRules(), None)

    messages: Any = call.body["messages"]
    assert [message["role"] for message in messages] == [
        message["role"] for message in own["messages"]
    ]
    assert "CANARY" not in str(call.body)
    assert call.body.keys() - own.keys() == {*sent, "tools"}
    texts = "\n".join(item.text for item in call.items)
    assert all(said in texts for said in SAID)


def test_claude_code_over_messages() -> None:
    call = MessagesProtocol().parse(CLAUDE_TURN, FieldRules(may_corrupt=True), None)

    messages: Any = call.body["messages"]
    roles = [message["role"] for message in messages]
    assert roles == ["system", "user", "system", "assistant", "tool", "assistant", "user"]
    assert "CANARY" not in str(call.body)
    texts = "\n".join(item.text for item in call.items)
    assert all(said in texts for said in (*SAID, "Be kind.", "It is morning."))
    tools: Any = call.body["tools"]
    assert [tool["function"].get("defer_loading") for tool in tools] == [None, True]
