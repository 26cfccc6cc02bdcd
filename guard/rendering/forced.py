"""What constraints make an answer say: read behind the prompt, as the model goes on from it."""

from collections.abc import Iterator

from guard.rendering.leaves import bare_leaves, leaves, pairs, texts_of
from guard.terms.json import JsonObject
from guard.wire.settings_text import CONSTRAINTS, spelled_in

CHOICE = "choice"


def forced_texts(body: JsonObject) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The field of each constraint, and the texts that an answer may have to say one after the
    other: each choice by itself, and what schemas, expressions and grammars spell."""
    for name in CONSTRAINTS:
        value = body.get(name)
        if not isinstance(value, dict):
            continue
        choices = value.get(CHOICE)
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, str):
                yield name, (choice,)
        rest = {key: inner for key, inner in value.items() if key != CHOICE}
        yield from ((name, (text,)) for text in texts_of(spelled_in(rest)))
        for found in (leaves(rest), bare_leaves(rest)):
            if texts := tuple(texts_of(found)):
                yield name, texts
        yield from ((name, pair) for pair in pairs(rest))
