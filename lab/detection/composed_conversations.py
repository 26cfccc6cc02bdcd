"""Conversations of any number of turns and any length, composed of prompts of public sets.

System prompts, users' prompts and documents stand where their authors put them: first, in users'
turns, in what tools return. Answers are this module's own sentences.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.item import Item
from guard.wire.chat import parse
from guard.wire.fields import FieldRules
from lab.detection.multilingual.sources import author_of, hash_text

Rng = np.random.Generator
Message = dict[str, object]
DEVELOPER, USER, THIRD_PARTY = "developer", "user", "third party"
AUTHORS = (DEVELOPER, USER, THIRD_PARTY)
BYTES_OF_TOKEN = 4
"""Of UTF-8; a length in tokens is a length in bytes."""
PROMPTS_OF_SOURCE = 60
LONGEST_OF_USER, LONGEST_OF_TOOL, LONGEST_OF_SYSTEM = 2_000, 12_000, 24_000
"""Characters."""
SYSTEM_SHARE = 0.25
"""Of a conversation's length, where there is a system prompt that long."""
CALLED_SHARE = 0.5
"""Of turns in which a tool is called."""
ANSWERS = (
    "Sure, here is what I found. Tell me if you would like more detail.",
    "Done. I have checked the result twice.",
    "The short answer is yes; the reasons are listed above.",
    "I looked it up: the second option fits better.",
    "Here is a first draft. Which parts should I change?",
    "That depends on the version. The current one supports it.",
    "I have read the file. There are three points worth a look.",
    "Thanks, that helps. I will go on with the next step.",
)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
        },
    }
    for name, description in (
        ("read_file", "Returns the contents of a file."),
        ("search", "Finds pages and returns their text."),
        ("fetch_ticket", "Returns a ticket with its comments."),
    )
]


@dataclass(frozen=True, slots=True)
class Parts:
    """Harmless texts of each author, those of each source together."""

    by_author: Mapping[str, Mapping[str, Sequence[str]]]

    def draw(self, author: str, rng: Rng) -> str:
        """A text of one of their sources, all sources as likely; "" where there is none."""
        sources = list(self.by_author.get(author, {}).values())
        if not sources:
            return ""
        texts = sources[int(rng.integers(len(sources)))]
        return texts[int(rng.integers(len(texts)))]


def parts_of(prompts: Iterable[LabelledPrompt]) -> Parts:
    """At most PROMPTS_OF_SOURCE harmless prompts of each source and author, chosen by hash."""
    found: dict[str, dict[str, list[str]]] = {author: defaultdict(list) for author in AUTHORS}
    for prompt in sorted(prompts, key=hash_text):
        texts = found[author_of(prompt)][prompt.source]
        if prompt.label == "benign" and len(texts) < PROMPTS_OF_SOURCE:
            texts.append(prompt.text)
    return Parts({a: {s: t for s, t in own.items() if t} for a, own in found.items()})


def halves_of(prompts: Sequence[LabelledPrompt]) -> tuple[frozenset[str], frozenset[str]]:
    """The sources in two halves, each with half of every author's."""
    halves: tuple[set[str], set[str]] = set(), set()
    for author in AUTHORS:
        sources = {p.source for p in prompts if p.label == "benign" and author_of(p) == author}
        for number, source in enumerate(sorted(sources - halves[0] - halves[1])):
            halves[number % 2].add(source)
    return frozenset(halves[0]), frozenset(halves[1])


def compose(parts: Parts, turns: int, tokens: int, rng: Rng) -> list[Message]:
    """The messages of a harmless conversation that ends with a user's turn, about so long."""
    room = tokens * BYTES_OF_TOKEN
    system = _cut(parts.draw(DEVELOPER, rng), min(int(room * SYSTEM_SHARE), LONGEST_OF_SYSTEM))
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    room -= len(system.encode())
    for turn in range(turns):
        left = room // (turns - turn)
        said = _cut(parts.draw(USER, rng), min(left, LONGEST_OF_USER)) or "Go on."
        messages.append({"role": "user", "content": said})
        room -= len(said.encode())
        room -= _call_tools(messages, parts, left - len(said.encode()), turn, rng)
        if turn < turns - 1:
            messages.append({"role": "assistant", "content": _pick(ANSWERS, rng)})
    return messages


def _call_tools(messages: list[Message], parts: Parts, room: int, turn: int, rng: Rng) -> int:
    """Put calls and results of tools behind a turn while there is room; the bytes of them."""
    used = 0
    while room - used > 200 and (used or rng.random() < CALLED_SHARE or room > LONGEST_OF_TOOL):
        result = _cut(parts.draw(THIRD_PARTY, rng), min(room - used, LONGEST_OF_TOOL))
        if not result:
            break
        call = f"call_{turn}_{used}"
        messages += tool_result(call, result, rng)
        used += len(result.encode())
    return used


def tool_result(call: str, result: str, rng: Rng) -> list[Message]:
    """The messages of a tool's call and of what it returned."""
    tool = TOOLS[int(rng.integers(len(TOOLS)))]["function"]
    name = str(tool["name"]) if isinstance(tool, dict) else ""
    function = {"name": name, "arguments": json.dumps({"query": str(rng.integers(1000))})}
    called = {"id": call, "type": "function", "function": function}
    return [
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": call, "content": result},
    ]


def items_of(messages: Sequence[Message], *, tools: bool = True) -> tuple[Item, ...]:
    """The conversation as serving parses it."""
    body: dict[str, object] = {"model": "", "messages": list(messages)}
    if tools:
        body["tools"] = TOOLS
    return parse(body, FieldRules(drop_unknown=True), None).items


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[: max(0, most_bytes)].decode(errors="ignore").strip()


def _pick(values: Sequence[str], rng: Rng) -> str:
    return values[int(rng.integers(len(values)))]
