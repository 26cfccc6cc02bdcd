"""What a bypass vector is, and bodies of each protocol to build them from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.e2e.bypass.canary import BENIGN, CANARY

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
EMBEDDINGS = "/v1/embeddings"
TOKENIZE = "/tokenize"
CHECK = "/v1/guard/check"

Body = dict[str, Any]


class Outcome(Enum):
    """What must become of a vector where prompts are blocked."""

    FILTERED = "filtered"  # the prompt was seen: `content_filter`
    REFUSED = "refused"  # the request's form is not accepted: a 4xx that names the field
    UNREAD = "unread"  # accepted, and what carries the canary goes no further
    NOT_GENERATED = "not generated"  # accepted: nothing of it can reach the model's context


@dataclass(frozen=True)
class Vector:
    """One way to get a text past a guard.

    `body` is JSON, or the very bytes. `param` is the field that a refusal must name (None where it
    has none to name), `marks` are texts that carry the canary in disguise.
    """

    name: str
    route: str
    body: Body | bytes
    outcome: Outcome = Outcome.FILTERED
    param: str | None = None
    status: int = 400
    marks: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.route.removeprefix('/v1/')}: {self.name}"


def filtered(name: str, route: str, body: Body, *marks: str) -> Vector:
    """A vector that must be seen and blocked."""
    return Vector(name, route, body, marks=marks)


def refused(name: str, route: str, body: Body | bytes, param: str | None) -> Vector:
    """A vector that must be refused for its form, naming `param`."""
    return Vector(name, route, body, Outcome.REFUSED, param)


def unread(name: str, route: str, body: Body) -> Vector:
    """A vector whose carrier must not be forwarded."""
    return Vector(name, route, body, Outcome.UNREAD)


def user(content: Any = BENIGN, **fields: Any) -> Body:
    """A user's message."""
    return {"role": "user", "content": content, **fields}


def chat(*messages: Body, **fields: Any) -> Body:
    """A chat request; one benign question when no messages are given."""
    return {"model": "demo", "messages": list(messages or [user()]), "max_tokens": 1, **fields}


def asked(*parts: Any, role: str = "user", **fields: Any) -> Body:
    """A chat request whose first message holds these parts."""
    messages = [{"role": role, "content": list(parts)}]
    return chat(*messages, *([] if role == "user" else [user()]), **fields)


def text(content: str = CANARY) -> Body:
    """A text part of chat and Messages."""
    return {"type": "text", "text": content}


def complete(prompt: Any = BENIGN, **fields: Any) -> Body:
    """A text completion request."""
    return {"model": "demo", "prompt": prompt, "max_tokens": 1, **fields}


def respond(given: Any = BENIGN, **fields: Any) -> Body:
    """A Responses request."""
    return {"model": "demo", "input": given, "max_output_tokens": 1, **fields}


def message(*messages: Body, **fields: Any) -> Body:
    """A Messages request; one benign question when no messages are given."""
    return {"model": "demo", "messages": list(messages or [user()]), "max_tokens": 1, **fields}


def embed(given: Any = BENIGN, **fields: Any) -> Body:
    """An embedding request."""
    return {"model": "demo", "input": given, **fields}


def call(name: str = "look_up", arguments: str = "{}", identity: str = "call_1") -> Body:
    """A function call of an assistant's message."""
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def called(**fields: str) -> Body:
    """A chat whose assistant called a function."""
    assistant = {"role": "assistant", "content": None, "tool_calls": [call(**fields)]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "nothing"}
    return chat(user(), assistant, result)


def function(name: str = "look_up", **fields: Any) -> Body:
    """A tool of a chat request."""
    parameters = {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "parameters": parameters, **fields}}


def halves(middle: str = "forbidden ma") -> tuple[str, str]:
    """The canary cut in two behind `middle`."""
    end = CANARY.index(middle) + len(middle)
    return CANARY[:end], CANARY[end:]


def turns(*contents: str) -> Sequence[Body]:
    """A conversation of user and assistant in turn."""
    roles = ("user", "assistant")
    return [{"role": roles[i % 2], "content": content} for i, content in enumerate(contents)]
