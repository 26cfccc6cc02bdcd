"""Anthropic messages into chat messages; what cannot be screened or translated is refused by name.

The translation is vLLM's own (`vllm/entrypoints/anthropic`), so that a prompt reads the same to the
model whether it comes through the guard or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules, FieldTable, Rule
from guard.wire.members import (
    as_record,
    media_refused,
    optional_record,
    optional_word,
    require_string,
    unavailable,
    wrong,
)
from guard.wire.pictures import check_picture_url

# A header that Claude Code puts before its system prompt; vLLM leaves it out, its hash changes with
# every request and would defeat the prefix cache.
BILLING_HEADER = "x-anthropic-billing-header"

MESSAGE_FIELDS: FieldTable = {"role": Rule.CARRIED, "content": Rule.SCREENED}
ROLES = frozenset({"user", "assistant", "system"})

_BLOCK: FieldTable = {"type": Rule.CARRIED, "cache_control": Rule.DROPPED}
_TEXT: FieldTable = {**_BLOCK, "text": Rule.SCREENED, "citations": Rule.DROPPED}
_IMAGE: FieldTable = {**_BLOCK, "source": Rule.CARRIED, "transformations": Rule.REFUSED}
_TOOL: FieldTable = {**_BLOCK, "caller": Rule.DROPPED, "toolset_name": Rule.REFUSED}
USER_BLOCKS: Mapping[str, FieldTable] = {
    "text": _TEXT,
    "image": _IMAGE,
    "tool_result": {
        **_TOOL,
        "tool_use_id": Rule.SCREENED,
        "content": Rule.SCREENED,
        "is_error": Rule.DROPPED,
    },
}
ASSISTANT_BLOCKS: Mapping[str, FieldTable] = {
    "text": _TEXT,
    "thinking": {**_BLOCK, "thinking": Rule.SCREENED, "signature": Rule.DROPPED},
    "redacted_thinking": {**_BLOCK, "data": Rule.DROPPED},
    "tool_use": {**_TOOL, "id": Rule.SCREENED, "name": Rule.SCREENED, "input": Rule.SCREENED},
}
SYSTEM_BLOCKS: Mapping[str, FieldTable] = {"text": _TEXT}
RESULT_BLOCKS: Mapping[str, FieldTable] = {"text": _TEXT, "image": _IMAGE}
BLOCKS = {"user": USER_BLOCKS, "assistant": ASSISTANT_BLOCKS, "system": SYSTEM_BLOCKS}
SOURCE_TABLES: Mapping[str, FieldTable] = {
    "base64": {"type": Rule.CARRIED, "media_type": Rule.CARRIED, "data": Rule.CARRIED},
    "url": {"type": Rule.CARRIED, "url": Rule.CARRIED},
}


class Conversation(NamedTuple):
    """Chat messages, and which of them say `user` but hold a tool's pictures (`Call.quoted`)."""

    messages: list[JsonObject]
    quoted: frozenset[int]


def read_conversation(accepted: JsonObject, rules: FieldRules) -> Conversation:
    """What `system` and `messages` come to; raises RequestError naming what is at fault."""
    reader = _Reader(rules)
    reader.read_system(accepted.get("system"), "system")
    messages = accepted.get("messages")
    if not isinstance(messages, list) or not messages:
        raise wrong("messages", "a non-empty list")
    for index, value in enumerate(messages):
        reader.read_message(value, f"messages.{index}")
    return Conversation(reader.messages, frozenset(reader.quoted))


@dataclass(slots=True)
class _Turn:
    """What the blocks of one message come to."""

    content: list[JsonObject] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[JsonObject] = field(default_factory=list)

    def message(self, role: str) -> JsonObject | None:
        """The chat message; None for a user's that held results of tools only."""
        message: JsonObject = {"role": role}
        if self.thoughts:
            message["reasoning"] = "".join(self.thoughts)
        if self.calls:
            message["tool_calls"] = self.calls
        if len(self.content) == 1 and self.content[0]["type"] == "text":
            message["content"] = self.content[0]["text"]
        elif self.content:
            message["content"] = self.content
        return None if role == "user" and not self.content else message


class _Reader:
    def __init__(self, rules: FieldRules) -> None:
        self._rules = rules
        self.messages: list[JsonObject] = []
        self.quoted: set[int] = set()

    def read_system(self, content: object, param: str) -> None:
        """One system message of all its blocks' texts."""
        if content is None:
            return
        if isinstance(content, str):
            texts = [content]
        else:
            blocks = self._blocks(content, SYSTEM_BLOCKS, param)
            texts = [
                text
                for block, at in blocks
                if not (text := require_string(block, "text", f"{at}.")).startswith(BILLING_HEADER)
            ]
        if text := "".join(texts):
            self.messages.append({"role": "system", "content": text})

    def read_message(self, value: object, param: str) -> None:
        """One message; the results of tools in it become messages of their own before it."""
        message = self._rules.accept(as_record(value, param), MESSAGE_FIELDS, prefix=f"{param}.")
        role = optional_word(message, "role", ROLES, f"{param}.")
        if role is None:
            raise wrong(f"{param}.role", f"one of {', '.join(sorted(ROLES))}")
        content = message.get("content")
        if role == "system":
            self.read_system(content, f"{param}.content")
        elif isinstance(content, str):
            self.messages.append({"role": role, "content": content})
        else:
            turn = _Turn()
            for block, at in self._blocks(content, BLOCKS[role], f"{param}.content"):
                self._read_block(block, turn, at)
            if made := turn.message(role):
                self.messages.append(made)

    def _blocks(
        self, content: object, tables: Mapping[str, FieldTable], param: str
    ) -> list[tuple[JsonObject, str]]:
        """Each block with the fields its type has, and where it stands."""
        if not isinstance(content, list):
            raise wrong(param, "a string or a list of content blocks")
        found = []
        for index, value in enumerate(content):
            at = f"{param}.{index}"
            block = as_record(value, at)
            kind = block.get("type")
            if not isinstance(kind, str) or kind not in tables:
                raise unavailable(f"{at}.type", "this type of content block")
            if kind == "image" and not (self._rules.pictures or self._rules.media_unscreened):
                raise media_refused(at, picture=True)
            found.append((self._rules.accept(block, tables[kind], prefix=f"{at}."), at))
        return found

    def _read_block(self, block: JsonObject, turn: _Turn, at: str) -> None:
        prefix = f"{at}."
        match block["type"]:
            case "text":
                if text := require_string(block, "text", prefix):
                    turn.content.append({"type": "text", "text": text})
            case "image":
                turn.content.append(self._image(block, prefix))
            case "thinking":
                turn.thoughts.append(require_string(block, "thinking", prefix))
            case "tool_use":
                turn.calls.append(_tool_call(block, prefix))
            case "tool_result":
                self._read_result(block, prefix)

    def _read_result(self, block: JsonObject, prefix: str) -> None:
        """A tool's result, and for the images in it a message that says `user`."""
        content = block.get("content")
        texts, images = [content] if isinstance(content, str) else [], []
        if content is not None and not isinstance(content, str):
            for inner, at in self._blocks(content, RESULT_BLOCKS, f"{prefix}content"):
                if inner["type"] == "text":
                    texts.append(require_string(inner, "text", f"{at}."))
                else:
                    images.append(self._image(inner, f"{at}."))
        call_id = require_string(block, "tool_use_id", prefix)
        result: JsonObject = {"role": "tool", "tool_call_id": call_id, "content": "\n".join(texts)}
        self.messages.append(result)
        if images:
            self.quoted.add(len(self.messages))
            self.messages.append({"role": "user", "content": images})

    def _image(self, block: JsonObject, prefix: str) -> JsonObject:
        source = optional_record(block, "source", prefix)
        at = f"{prefix}source."
        kind = source.get("type")
        if not isinstance(kind, str) or kind not in SOURCE_TABLES:
            raise unavailable(f"{at}type", "this type of source")
        source = self._rules.accept(source, SOURCE_TABLES[kind], prefix=at)
        if kind == "url":
            url = require_string(source, "url", at)
            if self._rules.pictures:
                check_picture_url(url, f"{at}url")
        else:
            media_type, data = (require_string(source, name, at) for name in ("media_type", "data"))
            url = f"data:{media_type};base64,{data}"
        return {"type": "image_url", "image_url": {"url": url}}


def _tool_call(block: JsonObject, prefix: str) -> JsonObject:
    arguments = orjson.dumps(optional_record(block, "input", prefix)).decode()
    return {
        "id": require_string(block, "id", prefix),
        "type": "function",
        "function": {"name": require_string(block, "name", prefix), "arguments": arguments},
    }
