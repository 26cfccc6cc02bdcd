"""The pairs of `splits` as requests of Responses and Messages, where these have such a pair."""

from guard.terms.json import JsonObject
from tests.guard.rendering.splits import Pair, arguments, schema, user


def asked(*items: JsonObject, **fields: object) -> JsonObject:
    """A request of Responses."""
    return {"model": "demo", "input": list(items), **fields}


def called(name: str, said: str) -> JsonObject:
    return {"type": "function_call", "call_id": "c1", "name": name, "arguments": said}


def tool(description: str, key: str = "path", value: str = "A path.") -> JsonObject:
    properties = {key: {"type": "string", "description": value}}
    described = {"type": "object", "properties": properties}
    return {"name": "f", "description": description, "parameters": described}


def thought(text: str) -> JsonObject:
    return {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": text}],
    }


def parts(kind: str, *texts: str) -> list[JsonObject]:
    return [{"type": kind, "text": text} for text in texts]


def said(text: str) -> JsonObject:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "content": content}


def text_format(key: str, value: str) -> JsonObject:
    form = schema(key, value)["json_schema"]
    inner = form["schema"] if isinstance(form, dict) else {}
    return {"format": {"type": "json_schema", "name": "s", "schema": inner}}


RESULT: JsonObject = {"type": "function_call_output", "call_id": "c1", "output": "Done."}

RESPONSES: dict[str, Pair] = {
    "reasoning and content": lambda a, b: asked(user("Go."), thought(a), said(b), user("So?")),
    "tool name and arguments": lambda a, b: asked(
        user("Go."), called(a, arguments(b, "1")), RESULT
    ),
    "key and value of arguments": lambda a, b: asked(
        user("Go."), called("f", arguments(a, b)), RESULT
    ),
    "tools and instructions": lambda a, b: asked(
        user("Go."), instructions=b, tools=[{"type": "function", **tool("", value=a)}]
    ),
    "key and value of a tool": lambda a, b: asked(
        user("Go."), tools=[{"type": "function", **tool("Reads.", a, b)}]
    ),
    "instructions and user": lambda a, b: asked(user(b), instructions=a),
    "user and assistant": lambda a, b: asked(user(a), said(b), user("So?")),
    "two turns of the user": lambda a, b: asked(user(a), said("Yes?"), user(b)),
    "two parts": lambda a, b: asked(user(parts("input_text", a, b))),
    "tool result and user": lambda a, b: asked(
        user("Go."), called("f", "{}"), {**RESULT, "output": a}, user(b)
    ),
    "key and value of a schema": lambda a, b: asked(user("Go."), text=text_format(a, b)),
}


def told(*messages: JsonObject, **fields: object) -> JsonObject:
    """A request of Messages."""
    return {"model": "demo", "max_tokens": 16, "messages": list(messages), **fields}


def assistant(*blocks: JsonObject) -> JsonObject:
    return {"role": "assistant", "content": list(blocks)}


def used(name: str, given: JsonObject) -> JsonObject:
    return assistant({"type": "tool_use", "id": "c1", "name": name, "input": given})


def given_back(result: str, *texts: str) -> JsonObject:
    block = {"type": "tool_result", "tool_use_id": "c1", "content": result}
    return user([block, *parts("text", *texts)])


def described(tool: JsonObject) -> JsonObject:
    return {
        **{k: v for k, v in tool.items() if k != "parameters"},
        "input_schema": tool["parameters"],
    }


MESSAGES: dict[str, Pair] = {
    "thinking and text": lambda a, b: told(
        user("Go."),
        assistant({"type": "thinking", "thinking": a, "signature": "s"}, *parts("text", b)),
        user("So?"),
    ),
    "tool name and input": lambda a, b: told(user("Go."), used(a, {b: "1"}), given_back("Done.")),
    "key and value of input": lambda a, b: told(
        user("Go."), used("f", {a: b}), given_back("Done.")
    ),
    "tools and system": lambda a, b: told(
        user("Go."), system=b, tools=[described(tool("", value=a))]
    ),
    "key and value of a tool": lambda a, b: told(
        user("Go."), tools=[described(tool("Reads.", a, b))]
    ),
    "system and user": lambda a, b: told(user(b), system=a),
    "user and assistant": lambda a, b: told(user(a), assistant(*parts("text", b)), user("So?")),
    "two turns of the user": lambda a, b: told(user(a), assistant(*parts("text", "Yes?")), user(b)),
    "two parts": lambda a, b: told(user(parts("text", a, b))),
    "tool result and user": lambda a, b: told(user("Go."), used("f", {}), given_back(a, b)),
    "user and begun answer": lambda a, b: told(user(a), assistant(*parts("text", b))),
}
