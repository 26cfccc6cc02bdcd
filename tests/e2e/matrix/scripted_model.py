"""A chat server that always calls a tool first: no model, and no vLLM.

The demo's model never calls a tool by itself. This one does, so that an agent's whole turn can be
seen: call, result, answer. It stands behind the proxy, or, for agents that speak chat, alone.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.e2e.matrix.runs import FILE, Ran

JsonObject = dict[str, Any]
# What a call may safely do, by the words that agents call it with.
HARMLESS = ("read", "view", "glob", "list", "exec", "bash", "shell", "command")
COMMAND = "echo ecoguard"


@dataclass(frozen=True, slots=True)
class ScriptedServer:
    """The server as a `Service` is made in front of it: with a real model's tokenizer."""

    url: str
    model: Path
    served_name: str = "demo"
    max_model_len: int = 131072


class ScriptedModel:
    """The application; `returned` counts the requests that brought a tool's result."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.returned = 0
        self.app = Starlette(
            routes=[
                Route("/health", self._empty),
                Route("/version", self._version),
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ]
        )

    def counted(self, ran: Ran) -> Ran:
        """What a program did here, and whether it brought a tool's result; counts anew."""
        returned, self.returned = self.returned, 0
        return replace(ran, called=returned > 0)

    async def _empty(self, _: Request) -> Response:
        return Response()

    async def _version(self, _: Request) -> Response:
        return JSONResponse({"version": "0.32.0"})

    async def _models(self, _: Request) -> Response:
        card = {"id": self.model, "object": "model", "owned_by": "x", "max_model_len": 131072}
        return JSONResponse({"object": "list", "data": [card]})

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        returned = any(message["role"] == "tool" for message in body["messages"])
        self.returned += returned
        call = None if returned else scripted_call(body.get("tools") or [])
        if body.get("stream"):
            return StreamingResponse(_events(self.model, call), media_type="text/event-stream")
        choice = {"index": 0, "message": _message(call), "finish_reason": _reason(call)}
        return JSONResponse(_answer(self.model, "chat.completion", [choice]))


def scripted_call(tools: list[JsonObject]) -> JsonObject | None:
    """A call of the most harmless of the tools, with arguments made of its schema."""
    functions = [tool["function"] for tool in tools]
    for word in HARMLESS:
        for function in functions:
            if word in function["name"].lower():
                arguments = _arguments(function.get("parameters") or {})
                return {"name": function["name"], "arguments": json.dumps(arguments)}
    return None


def _arguments(schema: JsonObject) -> JsonObject:
    properties = schema.get("properties") or {}
    return {name: _value(name, properties.get(name) or {}) for name in schema.get("required") or ()}


def _value(name: str, schema: JsonObject) -> object:
    kind = schema.get("type", "string")
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "array":
        return [COMMAND]
    if kind in ("integer", "number"):
        return 1
    if kind == "boolean":
        return False
    if kind == "object":
        return _arguments(schema)
    return FILE if "path" in name.lower() or "file" in name.lower() else COMMAND


def _message(call: JsonObject | None) -> JsonObject:
    if call is None:
        return {"role": "assistant", "content": "Done."}
    calls = [{"id": "call_1", "type": "function", "index": 0, "function": call}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _reason(call: JsonObject | None) -> str:
    return "stop" if call is None else "tool_calls"


def _answer(model: str, kind: str, choices: list[JsonObject]) -> JsonObject:
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    made = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model}
    return {**made, "choices": choices, "usage": usage}


async def _events(model: str, call: JsonObject | None) -> Any:
    for delta, reason in ((_message(call), None), ({}, _reason(call))):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = _answer(model, "chat.completion.chunk", [choice])
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"
