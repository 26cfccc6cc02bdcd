"""Prompt carriers of Responses, Messages and the token count, which become chat calls."""

from typing import Any

from tests.e2e.bypass.canary import BENIGN, CANARY
from tests.e2e.bypass.vectors.vector import (
    COUNT_TOKENS,
    MESSAGES,
    RESPONSES,
    TOKENIZE,
    Body,
    Outcome,
    Vector,
    chat,
    filtered,
    halves,
    message,
    refused,
    respond,
    text,
    unread,
    user,
)

FIRST, SECOND = halves()


def item(**fields: Any) -> Body:
    """A Responses request whose first item has these fields."""
    return respond([fields, user()])


def said(*parts: Body, role: str = "user") -> Body:
    return respond([{"role": role, "content": list(parts)}, user()])


def schema(**fields: Any) -> Body:
    form = {"type": "json_schema", "name": "a", "schema": {"type": "object"}, **fields}
    return respond(text={"format": form})


def tooled(**fields: Any) -> Body:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}, **fields}
    return respond(tools=[tool], tool_choice="none")


NAMESPACED = {"type": "function", "name": "f", "description": CANARY, "parameters": {}}
RESPONSE = (
    filtered("input", RESPONSES, respond(CANARY)),
    filtered("message item", RESPONSES, item(type="message", role="user", content=CANARY)),
    filtered("message of the system", RESPONSES, item(role="system", content=CANARY)),
    filtered("message of the developer", RESPONSES, item(role="developer", content=CANARY)),
    filtered("message of the assistant", RESPONSES, item(role="assistant", content=CANARY)),
    filtered("input_text", RESPONSES, said({"type": "input_text", "text": CANARY})),
    filtered(
        "output_text", RESPONSES, said({"type": "output_text", "text": CANARY}, role="assistant")
    ),
    filtered("refusal", RESPONSES, said({"type": "refusal", "refusal": CANARY}, role="assistant")),
    filtered(
        "split over parts inside a word",
        RESPONSES,
        said({"type": "input_text", "text": FIRST}, {"type": "input_text", "text": SECOND}),
    ),
    filtered("instructions", RESPONSES, respond(instructions=CANARY)),
    filtered(
        "name of a call",
        RESPONSES,
        item(type="function_call", call_id="c", name=CANARY, arguments="{}"),
    ),
    filtered(
        "arguments of a call",
        RESPONSES,
        item(type="function_call", call_id="c", name="f", arguments=f'{{"q": "{CANARY}"}}'),
    ),
    filtered(
        "id of a call",
        RESPONSES,
        item(type="function_call", call_id=CANARY, name="f", arguments=""),
    ),
    filtered(
        "output of a call", RESPONSES, item(type="function_call_output", call_id="c", output=CANARY)
    ),
    filtered(
        "output of a call in parts",
        RESPONSES,
        item(
            type="function_call_output",
            call_id="c",
            output=[{"type": "input_text", "text": CANARY}],
        ),
    ),
    filtered(
        "summary of a reasoning",
        RESPONSES,
        item(type="reasoning", summary=[{"type": "summary_text", "text": CANARY}]),
    ),
    filtered(
        "content of a reasoning",
        RESPONSES,
        item(type="reasoning", summary=[], content=[{"type": "reasoning_text", "text": CANARY}]),
    ),
    filtered("name of a tool", RESPONSES, tooled(name=CANARY)),
    filtered("description of a tool", RESPONSES, tooled(description=CANARY)),
    filtered("parameters of a tool", RESPONSES, tooled(parameters={"title": CANARY})),
    filtered("name of a format", RESPONSES, schema(name=CANARY)),
    filtered("description of a format", RESPONSES, schema(description=CANARY)),
    filtered("schema of a format", RESPONSES, schema(schema={"const": CANARY})),
    filtered("stop", RESPONSES, respond(stop=CANARY)),
    filtered("structured_outputs", RESPONSES, respond(structured_outputs={"choice": [CANARY]})),
    filtered("streamed", RESPONSES, respond(CANARY, stream=True)),
    *(
        filtered(
            f"a last message that is {status}",
            RESPONSES,
            respond([user(), {"role": "assistant", "status": status, "content": CANARY}]),
        )
        for status in ("incomplete", "in_progress")
    ),
    unread("metadata", RESPONSES, respond(metadata={"note": CANARY})),
    unread("user", RESPONSES, respond(user=CANARY)),
    unread("safety_identifier", RESPONSES, respond(safety_identifier=CANARY)),
    unread("prompt_cache_key", RESPONSES, respond(prompt_cache_key=CANARY)),
    unread("output schema of a tool", RESPONSES, tooled(output_schema={"title": CANARY})),
    unread("id of an item", RESPONSES, item(type="message", id=CANARY, role="user", content="Hm.")),
    refused(
        "prompt by id", RESPONSES, respond(prompt={"id": "p", "variables": {"x": CANARY}}), "prompt"
    ),
    refused("conversation", RESPONSES, respond(conversation="conv_1"), "conversation"),
    refused("background", RESPONSES, respond(CANARY, background=True), "background"),
    refused("truncation", RESPONSES, respond(CANARY, truncation="auto"), "truncation"),
    refused(
        "context_management",
        RESPONSES,
        respond(context_management=[{"type": "compaction", "x": CANARY}]),
        "context_management",
    ),
    refused(
        "previous_input_messages",
        RESPONSES,
        respond(previous_input_messages=[user(CANARY)]),
        "previous_input_messages",
    ),
    refused(
        "enable_response_messages",
        RESPONSES,
        respond(enable_response_messages=True),
        "enable_response_messages",
    ),
    refused(
        "item by reference", RESPONSES, item(type="item_reference", id="msg_1"), "input.0.type"
    ),
    unread(
        "encrypted reasoning",
        RESPONSES,
        item(type="reasoning", summary=[], encrypted_content=CANARY),
    ),
    refused(
        "compaction", RESPONSES, item(type="compaction", encrypted_content=CANARY), "input.0.type"
    ),
    unread("call of a web search", RESPONSES, item(type="web_search_call", action=CANARY)),
    filtered(
        "call of a shell",
        RESPONSES,
        item(type="local_shell_call", call_id="c1", action={"command": [CANARY]}),
    ),
    filtered(
        "call of a custom tool",
        RESPONSES,
        item(type="custom_tool_call", call_id="c1", name="f", input=CANARY),
    ),
    filtered(
        "result of a custom tool",
        RESPONSES,
        item(type="custom_tool_call_output", call_id="c1", output=CANARY),
    ),
    filtered(
        "namespace of a call",
        RESPONSES,
        item(type="function_call", call_id="c1", name="f", arguments="{}", namespace=CANARY),
    ),
    filtered("custom tool", RESPONSES, tooled(type="custom", description=CANARY)),
    filtered(
        "tool in a namespace",
        RESPONSES,
        respond(tools=[{"type": "namespace", "name": "n", "tools": [NAMESPACED]}]),
    ),
    unread(
        "words of a namespace",
        RESPONSES,
        respond(tools=[{"type": "namespace", "name": "n", "description": CANARY, "tools": []}]),
    ),
    unread(
        "grammar of a custom tool",
        RESPONSES,
        tooled(type="custom", format={"type": "grammar", "definition": CANARY}),
    ),
    unread("MCP server", RESPONSES, respond(tools=[{"type": "mcp", "x": CANARY}])),
    refused("unknown part", RESPONSES, said({"type": "prompt_embeds"}), "input.0.content.0.type"),
    refused("role of a tool", RESPONSES, item(role="tool", content=CANARY), "input.0.role"),
    unread("unknown field", RESPONSES, respond(messages=[user(CANARY)])),
)


def block(role: str = "user", **fields: Any) -> Body:
    """A Messages request whose first message is one block."""
    return message({"role": role, "content": [fields]}, user())


def used(**fields: Any) -> Body:
    return block("assistant", type="tool_use", **{"id": "t", "name": "f", "input": {}, **fields})


def result(**fields: Any) -> Body:
    return block(type="tool_result", **{"tool_use_id": "t", "content": "", **fields})


def offered(**fields: Any) -> Body:
    tool = {"name": "f", "input_schema": {"type": "object"}, **fields}
    return message(tools=[tool], tool_choice={"type": "none"})


CARRIERS: dict[str, Body] = {
    "user": message(user(CANARY)),
    "assistant": message(user(), {"role": "assistant", "content": CANARY}, user()),
    "system message": message({"role": "system", "content": CANARY}, user()),
    "system": message(system=CANARY),
    "system in blocks": message(system=[text()]),
    "system split inside a word": message(system=[text(FIRST), text(SECOND)]),
    "text block": block(**text()),
    "blocks split inside a word": message(user([text(FIRST), text(SECOND)])),
    "thinking": block("assistant", type="thinking", thinking=CANARY, signature="x"),
    "input of a tool's use": used(input={"query": [CANARY]}),
    "input of a tool's use in codes": used(input={"query": list(CANARY.encode())}),
    "name of a tool's use": used(name=CANARY),
    "id of a tool's use": used(id=CANARY),
    "result of a tool": result(content=CANARY),
    "result of a tool in blocks": result(content=[text()]),
    "id of a result": result(tool_use_id=CANARY),
    "name of a tool": offered(name=CANARY),
    "description of a tool": offered(description=CANARY),
    "schema of a tool": offered(input_schema={"properties": {CANARY: {}}}),
    "schema of the output": message(
        output_config={"format": {"type": "json_schema", "schema": {"const": CANARY}}}
    ),
}
REFUSALS: dict[str, tuple[Body, str]] = {
    "document": (
        block(type="document", source={"type": "text", "data": CANARY}),
        "messages.0.content.0.type",
    ),
    "search result": (block(type="search_result", content=[text()]), "messages.0.content.0.type"),
    "use of a server's tool": (
        block("assistant", type="server_tool_use", input={"q": CANARY}),
        "messages.0.content.0.type",
    ),
    "upload": (block(type="container_upload", file_id=CANARY), "messages.0.content.0.type"),
    "tool of the server": (offered(type="web_search_20250305", x=CANARY), "tools.0.type"),
    "MCP servers": (message(mcp_servers=[{"url": CANARY}]), "mcp_servers"),
    "template": (message(chat_template_kwargs={"x": CANARY}), "chat_template_kwargs.x"),
    "unknown role": (message({"role": "tool", "content": CANARY}), "messages.0.role"),
    "toolset": (used(toolset_name=CANARY), "messages.0.content.0.toolset_name"),
}
DROPPED: dict[str, Body] = {
    "unknown field": message(prompt=CANARY),
    "unknown field of a block": block(**text(BENIGN), title=CANARY),
    "billing header": message(system=[text(f"x-anthropic-billing-header: {CANARY}")]),
    "redacted thinking": block("assistant", type="redacted_thinking", data=CANARY),
    "signature": block("assistant", type="thinking", thinking="Hm.", signature=CANARY),
    "citations": block(**text("Hm."), citations=[{"cited_text": CANARY}]),
    "cache control": block(**text("Hm."), cache_control={"type": CANARY}),
    "examples of a tool": offered(input_examples=[{"q": CANARY}]),
}
MESSAGE = (
    *(filtered(name, MESSAGES, body) for name, body in CARRIERS.items()),
    filtered("stop_sequences", MESSAGES, message(stop_sequences=[CANARY])),
    filtered("streamed", MESSAGES, message(user(CANARY), stream=True)),
    *(refused(name, MESSAGES, body, param) for name, (body, param) in REFUSALS.items()),
    refused("container", MESSAGES, message(container=CANARY), "container"),
    refused("cache_salt", MESSAGES, message(cache_salt=CANARY), "cache_salt"),
    refused("vllm_xargs", MESSAGES, message(vllm_xargs={"x": CANARY}), "vllm_xargs"),
    *(unread(name, MESSAGES, body) for name, body in DROPPED.items()),
    unread("metadata", MESSAGES, message(metadata={"user_id": CANARY})),
)


def uncounted(body: Body) -> Body:
    """The same request without what a token count does not take."""
    return {name: value for name, value in body.items() if name != "max_tokens"}


COUNTS = (
    *(
        Vector(name, COUNT_TOKENS, uncounted(body), Outcome.NOT_GENERATED)
        for name, body in (CARRIERS | DROPPED).items()
    ),
    *(refused(name, COUNT_TOKENS, uncounted(body), at) for name, (body, at) in REFUSALS.items()),
    Vector("max_tokens", COUNT_TOKENS, message(user(CANARY)), Outcome.NOT_GENERATED),
)
TOKENIZATION = (
    Vector("prompt", TOKENIZE, {"model": "demo", "prompt": CANARY}, Outcome.NOT_GENERATED),
    Vector(
        "messages", TOKENIZE, {"model": "demo", "messages": [user(CANARY)]}, Outcome.NOT_GENERATED
    ),
    refused("template", TOKENIZE, {**chat(), "chat_template": CANARY}, "chat_template"),
    refused(
        "template alone",
        TOKENIZE,
        {"model": "demo", "messages": [user()], "chat_template": CANARY},
        "chat_template",
    ),
    refused(
        "embeddings",
        TOKENIZE,
        {"model": "demo", "messages": [user([{"type": "prompt_embeds", "data": "gAR9"}])]},
        "messages.0.content.0.type",
    ),
)
VECTORS: tuple[Vector, ...] = (*RESPONSE, *MESSAGE, *COUNTS, *TOKENIZATION)
