"""The replayed requests of `/v1/chat/completions` and `/v1/completions`."""

from collections.abc import Iterator

from tests.e2e.replay.conversations import (
    CONVERSATIONS,
    PLAIN,
    PREFILL,
    PROMPTS,
    TOOL_TURN,
    TOOLS,
    TURNS,
    UNICODE,
    VERDICT,
    WEATHER,
    JsonObject,
    Replayed,
)

BASE: JsonObject = {"model": "demo", "temperature": 0, "return_token_ids": True}
SCHEMA: JsonObject = {
    "type": "json_schema",
    "json_schema": {"name": "verdict", "schema": VERDICT, "strict": True},
}
FORCED: JsonObject = {"type": "function", "function": {"name": "weather"}}
# By name: fields beside the messages, each sent with two conversations.
CHAT_SETTINGS: dict[str, JsonObject] = {
    "plain": {"max_tokens": 12},
    "max_completion_tokens": {"max_completion_tokens": 5},
    "one token": {"max_tokens": 1},
    "min_tokens": {"max_tokens": 14, "min_tokens": 14},
    "n": {"max_tokens": 6, "n": 3, "seed": 5, "temperature": 0.7},
    "seed": {"max_tokens": 8, "seed": 42},
    "logprobs": {"max_tokens": 6, "logprobs": True},
    "top_logprobs": {"max_tokens": 5, "logprobs": True, "top_logprobs": 4},
    "logprobs as ids": {
        "max_tokens": 5,
        "logprobs": True,
        "top_logprobs": 1,
        "return_tokens_as_token_ids": True,
    },
    "stop": {"max_tokens": 16, "stop": ["know", "born"]},
    "stop kept": {"max_tokens": 16, "stop": "that", "include_stop_str_in_output": True},
    "stop_token_ids": {"max_tokens": 16, "stop_token_ids": [302, 310]},
    "bad_words": {"max_tokens": 8, "bad_words": ["know"]},
    "logit_bias up": {"max_tokens": 6, "logit_bias": {"313": 100}},
    "logit_bias down": {"max_tokens": 8, "logit_bias": {"47": -100, "302": -5}},
    "allowed_token_ids": {"max_tokens": 8, "allowed_token_ids": [47, 302, 313, 331]},
    "penalties": {"max_tokens": 12, "presence_penalty": 1.5, "frequency_penalty": -0.5},
    "repetition_penalty": {"max_tokens": 12, "repetition_penalty": 1.3},
    "top_k, top_p, min_p": {"max_tokens": 8, "top_k": 5, "top_p": 0.4, "min_p": 0.05},
    "ignore_eos": {"max_tokens": 20, "ignore_eos": True},
    "empty": {"max_tokens": 5, "logit_bias": {"2": 100}},
    "special tokens": {"max_tokens": 16, "skip_special_tokens": False},
    "spaces between": {"max_tokens": 10, "spaces_between_special_tokens": False},
    "tools": {"max_tokens": 10, "tools": TOOLS},
    "tools, none": {"max_tokens": 10, "tools": TOOLS, "tool_choice": "none"},
    "tools, auto": {"max_tokens": 10, "tools": TOOLS, "tool_choice": "auto"},
    "tools, required": {"max_tokens": 60, "tools": TOOLS, "tool_choice": "required"},
    "tools, forced": {"max_tokens": 40, "tools": [WEATHER], "tool_choice": FORCED},
    "tools, one at a time": {
        "max_tokens": 60,
        "tools": TOOLS,
        "tool_choice": "required",
        "parallel_tool_calls": False,
    },
    "json_object": {"max_tokens": 16, "response_format": {"type": "json_object"}},
    "json_schema": {"max_tokens": 40, "response_format": SCHEMA},
    "choice": {"max_tokens": 12, "structured_outputs": {"choice": ["yes", "no", "perhaps"]}},
    "regex": {"max_tokens": 12, "structured_outputs": {"regex": "(Ulm|Bonn), [0-9]{4}"}},
    "grammar": {"max_tokens": 12, "structured_outputs": {"grammar": 'root ::= "a" | "b" root'}},
    "no reasoning": {"max_tokens": 8, "include_reasoning": False, "reasoning_effort": "low"},
    "fields that vLLM drops": {
        "max_tokens": 8,
        "user": "u-1",
        "metadata": {"a": "b"},
        "store": False,
        "service_tier": "auto",
        "verbosity": "low",
        "prompt_cache_key": "k",
    },
    "neutral values": {
        "max_tokens": 8,
        "n": 1,
        "stop": None,
        "logit_bias": None,
        "tools": None,
        "presence_penalty": 0,
        "top_k": -1,
    },
    "unknown fields": {"max_tokens": 8, "keep_alive": "5m", "usage": {"include": True}},
}
# Whole bodies that are no conversation with a setting.
CHAT_SINGLE: dict[str, JsonObject] = {
    "prefill": {
        "messages": PREFILL,
        "max_tokens": 10,
        "add_generation_prompt": False,
        "continue_final_message": True,
    },
    "no generation prompt": {"messages": PLAIN, "max_tokens": 6, "add_generation_prompt": False},
    "answer is last": {"messages": PREFILL, "max_tokens": 8},
    "no max_tokens": {"messages": PLAIN},
    "tool results": {"messages": TOOL_TURN, "tools": TOOLS, "max_tokens": 10},
    "no model": {"messages": PLAIN, "max_tokens": 6, "model": None},
    "prompt text": {"messages": TURNS, "max_tokens": 4, "return_prompt_text": True},
    "prompt logprobs": {"messages": UNICODE, "max_tokens": 3, "prompt_logprobs": 1},
    "beam search": {"messages": PLAIN, "max_tokens": 6, "use_beam_search": True, "n": 2},
}
COMPLETION_SETTINGS: dict[str, JsonObject] = {
    "plain": {"max_tokens": 12},
    "default length": {},
    "one token": {"max_tokens": 1},
    "n": {"max_tokens": 6, "n": 2, "seed": 5, "temperature": 0.7},
    "seed": {"max_tokens": 8, "seed": 7},
    "logprobs": {"max_tokens": 5, "logprobs": 3},
    "logprobs 0": {"max_tokens": 5, "logprobs": 0},
    "stop": {"max_tokens": 16, "stop": ["\n", "the"]},
    "stop_token_ids": {"max_tokens": 16, "stop_token_ids": [313]},
    "logit_bias": {"max_tokens": 6, "logit_bias": {"331": 80}},
    "penalties": {"max_tokens": 12, "presence_penalty": 1, "repetition_penalty": 1.2},
    "ignore_eos": {"max_tokens": 18, "ignore_eos": True},
    "json_object": {"max_tokens": 12, "response_format": {"type": "json_object"}},
    "regex": {"max_tokens": 10, "structured_outputs": {"regex": "[A-Z][a-z]{2,5}"}},
    "echo": {"max_tokens": 4, "echo": True},
    "echo with logprobs": {"max_tokens": 3, "echo": True, "logprobs": 1},
    "prompt logprobs": {"max_tokens": 3, "prompt_logprobs": 2},
    "special tokens": {"max_tokens": 10, "skip_special_tokens": False},
}


def chat_requests() -> Iterator[Replayed]:
    """Each setting with three conversations, one of them streamed; the rest in both forms."""
    for index, (name, settings) in enumerate(CHAT_SETTINGS.items()):
        for turn in range(3):
            messages = CONVERSATIONS[(3 * index + turn) % len(CONVERSATIONS)]
            yield _chat(f"{name}, {turn}", {"messages": messages, **settings}, stream=turn % 2 == 1)
    for name, body in CHAT_SINGLE.items():
        for stream in (False, True):
            yield _chat(name, body, stream=stream)


def completion_requests() -> Iterator[Replayed]:
    """Each setting with three prompts, one of them streamed."""
    for index, (name, settings) in enumerate(COMPLETION_SETTINGS.items()):
        for turn in range(3):
            prompt = PROMPTS[(3 * index + turn) % len(PROMPTS)]
            body = {**BASE, "prompt": prompt, **settings}
            yield _sent("/v1/completions", f"{name}, {turn}", body, stream=turn % 2 == 1)


def _chat(name: str, body: JsonObject, *, stream: bool) -> Replayed:
    return _sent("/v1/chat/completions", name, {**BASE, **body}, stream=stream)


def _sent(route: str, name: str, body: JsonObject, *, stream: bool) -> Replayed:
    if stream:
        body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    kind = "streamed" if stream else "whole"
    return Replayed(f"{route.removeprefix('/v1/')}: {name}, {kind}", route, body)
