"""The replayed requests of `/v1/responses` and `/v1/messages`, which the proxy makes chat calls."""

from collections.abc import Iterator

from tests.e2e.replay.conversations import (
    CALL_ID,
    CITY,
    CLOCK,
    VERDICT,
    JsonObject,
    Replayed,
    said,
)

RESPONSES_BASE: JsonObject = {"model": "demo", "temperature": 0, "store": False}
WEATHER: JsonObject = {
    "type": "function",
    "name": "weather",
    "description": "Look up the weather.",
    "parameters": CITY,
    "strict": True,
}
TIME: JsonObject = {"type": "function", "name": "time", "parameters": CLOCK, "strict": False}
BARE: JsonObject = {"type": "function", "name": "ping", "parameters": None, "strict": None}
CUSTOM: JsonObject = {"type": "custom", "name": "note", "description": "Write a note."}
NAMESPACE: JsonObject = {
    "type": "namespace",
    "name": "town",
    "description": "Tools of the town.",
    "tools": [WEATHER],
}
ASKED = "Where was the author born?"


def answered(status: str, text: str) -> JsonObject:
    """An answer's message, as a client sends it back."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "id": "msg_1", "role": "assistant"}
    return {**message, "status": status, "content": content}


# Without earlier calls of tools, whose keys vLLM's two routes order differently in the prompt.
INPUTS: tuple[object, ...] = (
    ASKED,
    "Wo wurde die Autorin geboren? 著者 🏔️ e\u0301",
    said(ASKED, "I do not know.", "Who does?"),
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": ASKED}],
    [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": ASKED}],
    [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Part one,"},
                {"type": "input_text", "text": " part two."},
            ],
        }
    ],
    [
        {"role": "user", "content": ASKED},
        answered("completed", "I do not know."),
        {"role": "user", "content": "Try again."},
    ],
    [
        {"role": "user", "content": ASKED},
        answered("incomplete", "The author was"),
    ],
    [
        {"role": "user", "content": ASKED},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Let me see."}],
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "I do not know."}],
        },
        {"role": "user", "content": "Try again."},
    ],
)
FORMAT: JsonObject = {
    "type": "json_schema",
    "name": "verdict",
    "schema": VERDICT,
    "strict": True,
}
RESPONSES_SETTINGS: dict[str, JsonObject] = {
    "plain": {"max_output_tokens": 12},
    "cut": {"max_output_tokens": 3},
    "no maximum": {},
    "instructions": {"max_output_tokens": 8, "instructions": "Answer in one sentence."},
    "sampling": {"max_output_tokens": 8, "top_p": 0.5, "top_k": 4, "min_p": 0.1, "seed": 3},
    "penalties": {
        "max_output_tokens": 10,
        "presence_penalty": 1.2,
        "frequency_penalty": 0.4,
        "repetition_penalty": 1.2,
    },
    "stop": {"max_output_tokens": 14, "stop": ["know", "born"]},
    "stop kept": {
        "max_output_tokens": 14,
        "stop": "know",
        "include_stop_str_in_output": True,
    },
    "logit_bias": {"max_output_tokens": 6, "logit_bias": {"313": 100}},
    "empty": {"max_output_tokens": 6, "logit_bias": {"2": 100}},
    "logprobs": {
        "max_output_tokens": 5,
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
    },
    "tools": {"max_output_tokens": 10, "tools": [WEATHER, TIME]},
    "bare tool": {"max_output_tokens": 10, "tools": [BARE]},
    "deferred tool": {"max_output_tokens": 10, "tools": [{**WEATHER, "defer_loading": True}]},
    "custom tool": {"max_output_tokens": 10, "tools": [CUSTOM]},
    "namespace": {"max_output_tokens": 10, "tools": [NAMESPACE]},
    "tools, none": {"max_output_tokens": 10, "tools": [WEATHER], "tool_choice": "none"},
    "tools, required": {
        "max_output_tokens": 60,
        "tools": [WEATHER, TIME],
        "tool_choice": "required",
    },
    "tools, forced": {
        "max_output_tokens": 40,
        "tools": [WEATHER],
        "tool_choice": {"type": "function", "name": "weather"},
    },
    "json_object": {"max_output_tokens": 12, "text": {"format": {"type": "json_object"}}},
    "json_schema": {"max_output_tokens": 40, "text": {"format": FORMAT}},
    "regex": {"max_output_tokens": 10, "structured_outputs": {"regex": "(Ulm|Bonn)"}},
    "reasoning": {"max_output_tokens": 8, "reasoning": {"effort": "low"}},
    "told back": {
        "max_output_tokens": 8,
        "metadata": {"a": "b"},
        "user": "u-1",
        "service_tier": "auto",
        "truncation": "disabled",
        "parallel_tool_calls": False,
        "max_tool_calls": 3,
    },
}
MESSAGES_BASE: JsonObject = {"model": "demo", "temperature": 0}
ANTHROPIC_WEATHER: JsonObject = {
    "name": "weather",
    "description": "Look up the weather.",
    "input_schema": CITY,
}
ANTHROPIC_TIME: JsonObject = {"name": "time", "input_schema": CLOCK}
MESSAGES: tuple[list[JsonObject], ...] = (
    said(ASKED),
    said("Wo wurde die Autorin geboren? 著者 🏔️ e\u0301"),
    said(ASKED, "I do not know.", "Who does?"),
    said(ASKED, "The author was"),
    [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Part one,", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": " part two."},
            ],
        }
    ],
    [
        {"role": "user", "content": "The weather?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": CALL_ID, "name": "weather", "input": {"city": "Ulm"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": CALL_ID, "content": "21 degrees"},
                {"type": "text", "text": "And now?"},
            ],
        },
    ],
    [
        {"role": "user", "content": ASKED},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Let me see.", "signature": "s"},
                {"type": "text", "text": "I do not know."},
            ],
        },
        {"role": "user", "content": "Think again."},
    ],
)
MESSAGES_SETTINGS: dict[str, JsonObject] = {
    "plain": {"max_tokens": 12},
    "cut": {"max_tokens": 2},
    "system": {"max_tokens": 10, "system": "Answer in one sentence."},
    "system in parts": {
        "max_tokens": 10,
        "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": " Be kind."}],
    },
    "sampling": {"max_tokens": 8, "top_p": 0.5, "top_k": 4},
    "stop_sequences": {"max_tokens": 14, "stop_sequences": ["know", "born"]},
    "empty": {"max_tokens": 14, "stop_sequences": ["I", "T", "A"]},
    "tools": {"max_tokens": 10, "tools": [ANTHROPIC_WEATHER, ANTHROPIC_TIME]},
    "deferred tool": {
        "max_tokens": 10,
        "tools": [{**ANTHROPIC_WEATHER, "defer_loading": True}, ANTHROPIC_TIME],
    },
    "tools, auto": {
        "max_tokens": 10,
        "tools": [ANTHROPIC_WEATHER],
        "tool_choice": {"type": "auto"},
    },
    "tools, any": {
        "max_tokens": 60,
        "tools": [ANTHROPIC_WEATHER, ANTHROPIC_TIME],
        "tool_choice": {"type": "any"},
    },
    "tools, forced": {
        "max_tokens": 40,
        "tools": [ANTHROPIC_WEATHER],
        "tool_choice": {"type": "tool", "name": "weather"},
    },
    "tools, none": {
        "max_tokens": 10,
        "tools": [ANTHROPIC_WEATHER],
        "tool_choice": {"type": "none"},
    },
    "json_schema": {
        "max_tokens": 40,
        "output_config": {"format": {"type": "json_schema", "schema": VERDICT}},
    },
    "thinking off": {"max_tokens": 8, "thinking": {"type": "disabled"}},
    "metadata": {"max_tokens": 8, "metadata": {"user_id": "u-1"}, "service_tier": "auto"},
}


def responses_requests() -> Iterator[Replayed]:
    """Each setting with three inputs, one of them streamed."""
    for index, (name, settings) in enumerate(RESPONSES_SETTINGS.items()):
        for turn in range(3):
            asked = INPUTS[(3 * index + turn) % len(INPUTS)]
            body = {**RESPONSES_BASE, "input": asked, **settings}
            yield _sent("/v1/responses", f"{name}, {turn}", body, stream=turn % 2 == 1)


def messages_requests() -> Iterator[Replayed]:
    """Each setting with four conversations, two of them streamed."""
    for index, (name, settings) in enumerate(MESSAGES_SETTINGS.items()):
        for turn in range(4):
            messages = MESSAGES[(4 * index + turn) % len(MESSAGES)]
            body = {**MESSAGES_BASE, "messages": messages, **settings}
            yield _sent("/v1/messages", f"{name}, {turn}", body, stream=turn % 2 == 1)


def _sent(route: str, name: str, body: JsonObject, *, stream: bool) -> Replayed:
    kind = "streamed" if stream else "whole"
    body = {**body, "stream": True} if stream else body
    return Replayed(f"{route.removeprefix('/v1/')}: {name}, {kind}", route, body)
