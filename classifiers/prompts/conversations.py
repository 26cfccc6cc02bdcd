"""Whole requests, as serving reads them: every text of a conversation with its author.

`classifiers.prompts.sources` reads what users say; thresholds for requests need everything that a
detector is made to read: system prompts, tools' results, answers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from classifiers.prompts.rows import MESSAGES, TEXT, Row
from classifiers.prompts.sources import STORE, file_rows
from guard.store.traffic_store import read_traffic
from guard.terms.errors import ConfigError, RequestError
from guard.terms.item import Item
from guard.wire.authors import authored
from guard.wire.chat import parse
from guard.wire.fields import FieldRules

Conversation = tuple[Item, ...]
BENIGN = ("", "benign", "0", "false", "unknown")
"""Labels of rows that are harmless, or of which nothing is said."""
ANSWER = "assistant"
"""The role of the model's turns, and the author of those that the guard recognises."""


def read_conversations(
    source: str,
    *,
    knows_answers: bool = True,
    encryption_key_env: str | None = None,
    password_env: str | None = None,
) -> list[Conversation]:
    """The harmless requests of a source, in its order.

    The assistant's turns are answers that the guard recognises as its own, unless it does not know
    answers: then they are the caller's text, as those are that it has never let out.

    A file's rows (see `classifiers.prompts.sources`) hold `messages`, in chat form with tool calls
    and results, and optionally `tools`; or a `text`, which is one user's message, and optionally a
    `system` message. Rows labelled malicious are left out. `store:URL` are captured requests.
    Raises ConfigError naming file, line and field; StoreError for a store.
    """
    if source.startswith(STORE):
        url = source.removeprefix(STORE)
        found = list(_captured(url, encryption_key_env, password_env))
    else:
        found = [_conversation(row) for row in file_rows(Path(source)) if _is_benign(row)]
    if not found:
        raise ConfigError(f"{'store' if source.startswith(STORE) else source}: no conversations")
    return [tuple(map(_recognised, request)) for request in found] if knows_answers else found


def _recognised(item: Item) -> Item:
    return replace(item, author="assistant") if item.role == ANSWER else item


def _is_benign(row: Row) -> bool:
    return str(row.values.get("label") or "").strip().casefold() in BENIGN


def _conversation(row: Row) -> Conversation:
    body: dict[str, object] = {"model": "", MESSAGES: _messages(row.values)}
    if tools := row.values.get("tools"):
        body["tools"] = tools
    try:
        return parse(body, FieldRules(drop_unknown=True, media_unscreened=True), None).items
    except RequestError as error:
        raise row.fail(error.param or MESSAGES, error.message) from error


def _messages(values: Mapping[str, object]) -> object:
    messages = values.get(MESSAGES)
    if messages is not None:
        return messages
    said = [{"role": "user", "content": values.get(TEXT)}]
    system = values.get("system")
    return [{"role": "system", "content": system}, *said] if system else said


def _captured(url: str, key_env: str | None, password_env: str | None) -> Iterator[Conversation]:
    captured = read_traffic(url, encryption_key_env=key_env, password_env=password_env)
    for prompt in captured:
        numbered = enumerate(prompt.messages)
        yield tuple(
            authored((MESSAGES, place, "content"), message.role, message.content)
            for place, message in numbered
            if message.content.strip()
        )
