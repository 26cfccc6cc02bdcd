"""A phrase cut in two over the fields of a request: every pair of neighbours that a model reads."""

import json
from collections.abc import Callable

from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire import chat, completions
from guard.wire.fields import FieldRules

PHRASE = "violet harbour protocol"
CUTS = {
    "inside a word": ("Of the violet harb", "our protocol I know."),
    "at a space that is lost": ("Of the violet", "harbour protocol I know."),
    "behind a space": ("Of the violet ", "harbour protocol I know."),
    "before the last word": ("Of the violet harbour", " protocol I know."),
}
HALVES = ("violet harbour", "protocol")
"""What neither half may hold by itself."""


def user(content: object, **fields: object) -> JsonObject:
    return {"role": "user", "content": content, **fields}


def assistant(content: object, **fields: object) -> JsonObject:
    return {"role": "assistant", "content": content, **fields}


def body(*messages: JsonObject, **fields: object) -> JsonObject:
    return {"model": "m", "messages": list(messages), **fields}


def text(said: str) -> JsonObject:
    return {"type": "text", "text": said}


def called(name: str, arguments: str) -> JsonObject:
    function = {"name": name, "arguments": arguments}
    return assistant(None, tool_calls=[{"id": "c1", "type": "function", "function": function}])


def tool(description: str) -> JsonObject:
    described: JsonObject = {"type": "object", "properties": {"path": {"type": "string"}}}
    function: JsonObject = {"name": "f", "description": description, "parameters": described}
    return {"type": "function", "function": function}


def arguments(key: str, value: str) -> str:
    return json.dumps({key: value})


def schema(key: str, value: str) -> JsonObject:
    said: JsonObject = {"type": "object", "properties": {key: {"enum": ["no", value]}}}
    return {"type": "json_schema", "json_schema": {"name": "s", "schema": said}}


Pair = Callable[[str, str], JsonObject]
PAIRS: dict[str, Pair] = {
    "reasoning and content": lambda a, b: body(user("Go."), assistant(b, reasoning=a), user("So?")),
    "tool name and arguments": lambda a, b: body(user("Go."), called(a, arguments(b, "1"))),
    "key and value of arguments": lambda a, b: body(user("Go."), called("f", arguments(a, b))),
    "two documents": lambda a, b: body(user("Go."), documents=[{"text": a}, {"text": b}]),
    "tools and system": lambda a, b: body(
        {"role": "system", "content": b}, user("Go."), tools=[tool(a)]
    ),
    "system and user": lambda a, b: body({"role": "system", "content": a}, user(b)),
    "user and assistant": lambda a, b: body(user(a), assistant(b), user("So?")),
    "two turns of the user": lambda a, b: body(user(a), assistant("Yes?"), user(b)),
    "two parts": lambda a, b: body(user([text(a), text(b)])),
    "tool result and user": lambda a, b: body(
        called("f", "{}"), {"role": "tool", "tool_call_id": "c1", "content": a}, user(b)
    ),
    "begun answer and choice": lambda a, b: body(
        user("Go."),
        assistant(a),
        structured_outputs={"choice": ["no", b]},
        continue_final_message=True,
        add_generation_prompt=False,
    ),
    "key and value of a schema": lambda a, b: body(user("Go."), response_format=schema(a, b)),
    "prompt and suffix": lambda a, b: {"model": "m", "prompt": a, "suffix": b},
}


def parse(request: JsonObject) -> Call:
    if "prompt" in request:
        return completions.parse(request, FieldRules(), None)
    return chat.parse(request, FieldRules(), None)
