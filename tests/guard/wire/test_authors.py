"""Who wrote what, in every protocol."""

from typing import Any

import pytest

from guard.terms.item import Author
from guard.wire import chat
from guard.wire.authors import author_of
from guard.wire.fields import FieldRules
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore

PROTOCOLS = make_protocols(ResponseStore())
TOOL = {"type": "function", "function": {"name": "look", "description": "said by DEVELOPER"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '"by ASSISTANT"'}}
CHAT: dict[str, Any] = {
    "model": "demo",
    "messages": [
        {"role": "system", "content": "said by DEVELOPER"},
        {"role": "developer", "content": "said by DEVELOPER"},
        {"role": "user", "content": [{"type": "text", "text": "said by USER"}], "name": "a USER"},
        {"role": "assistant", "content": "said by ASSISTANT", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "said by THIRD_PARTY"},
    ],
    "tools": [TOOL],
    "documents": [{"text": "said by THIRD_PARTY"}],
    "stop": ["said by DEVELOPER"],
}
COMPLETIONS: dict[str, Any] = {"model": "demo", "prompt": "said by USER", "suffix": "also by USER"}
RESPONSES: dict[str, Any] = {
    "model": "demo",
    "instructions": "said by DEVELOPER",
    "input": [
        {"role": "user", "content": "said by USER"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '"by ASSISTANT"'},
        {"type": "function_call_output", "call_id": "c1", "output": "said by THIRD_PARTY"},
    ],
    "tools": [{"type": "function", "name": "look", "description": "said by DEVELOPER"}],
}
MESSAGES: dict[str, Any] = {
    "model": "demo",
    "max_tokens": 9,
    "system": "said by DEVELOPER",
    "messages": [
        {"role": "user", "content": "said by USER"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": "ASSISTANT"}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "said by THIRD_PARTY"},
                {"type": "text", "text": "said by USER"},
            ],
        },
    ],
    "tools": [{"name": "look", "description": "said by DEVELOPER", "input_schema": {}}],
}
BODIES = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": COMPLETIONS,
    "/v1/responses": RESPONSES,
    "/v1/messages": MESSAGES,
    "/v1/embeddings": {"model": "demo", "input": ["said by USER"]},
}


@pytest.mark.parametrize("route", BODIES)
def test_every_item_has_the_author_that_its_text_names(route: str) -> None:
    call = PROTOCOLS[route].parse(BODIES[route], FieldRules(), None)
    named = [item for item in call.items if any(author in item.text for author in _AUTHORS)]
    assert len(named) == sum(_count(BODIES[route], author) for author in _AUTHORS)
    # A caller's word for what the assistant said: nobody has recognised it yet.
    said = [next(author.lower() for author in _AUTHORS if author in i.text) for i in named]
    assert [i.author for i in named] == ["user" if a == "assistant" else a for a in said]
    assert {item.side for item in call.items} == {"prompt"}


def test_what_a_tool_gave_is_not_the_users_though_it_stands_under_that_name() -> None:
    """Where a tool gives pictures, they go to the model in a user's message."""
    messages = [{"role": "user", "content": [{"type": "text", "text": text}]} for text in "ab"]
    call = chat.parse({"messages": messages}, FieldRules(), None, frozenset({1}))
    assert [item.author for item in call.items] == ["user", "third_party"]
    assert call.body["messages"] == messages


_AUTHORS = ("DEVELOPER", "USER", "ASSISTANT", "THIRD_PARTY")


def _count(body: object, author: str) -> int:
    return str(body).count(author)


@pytest.mark.parametrize(
    ("role", "author"),
    [
        ("system", "developer"),
        ("function", "third_party"),
        ("response_format", "developer"),
        ("structured_outputs", "developer"),
        ("logit_bias", "developer"),
    ],
)
def test_whose_words_stand_under_a_role(role: str, author: Author) -> None:
    assert author_of(role) == author
