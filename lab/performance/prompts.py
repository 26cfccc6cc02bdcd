"""Requests of a benchmark: plain words from a seeded generator, so that every run sends the same.

Detectors do equal work on any text of a length; the words mean nothing and are nobody's prompts.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Literal

import orjson

Conversation = Literal["new", "growing", "repeated"]

# Each one token of the encoder's vocabulary.
_VOCABULARY = """
the river bridge city garden winter summer music paper window market village mountain
history teacher student letter kitchen bread water light morning evening story travel plan
small large green white open quiet early late simple clear short long and or with without
from over under between about after before because while which where how many year week
hour house street field forest island harbor engine wheel table chair shelf colour shape
sound taste method answer question reason number
"""
WORDS = tuple(_VOCABULARY.split())
HISTORY_TURNS = 8
SEED = 20_261


def text(generator: random.Random, tokens: int) -> str:
    """About `tokens` tokens, in sentences of a dozen words."""
    words = generator.choices(WORDS, k=tokens)
    for at in range(11, len(words), 12):
        words[at] += "."
    return " ".join(words)


def bodies(
    conversation: Conversation, tokens: int, *, stream: bool, model: str = "prompt", run: int = 0
) -> Iterator[bytes]:
    """Requests without end, each with `tokens` tokens that are new or, where repeated, not.

    `new`: a conversation of one turn, never seen before. `growing`: a seen history of
    8 turns and a new turn. `repeated`: the same conversation again and again. `run` keeps the
    texts of one run apart from those of another.
    """
    generator = random.Random(f"{SEED} {run} {conversation} {tokens}")
    history = _history(random.Random(SEED)) if conversation == "growing" else ()
    last = text(generator, tokens)
    for _ in count():
        if conversation != "repeated":
            last = text(generator, tokens)
        yield body([*history, {"role": "user", "content": last}], stream=stream, model=model)


def bounded(bodies: Iterator[bytes], max_tokens: int) -> Iterator[bytes]:
    """The same requests, for answers of so many tokens at most."""
    for sent in bodies:
        yield orjson.dumps({**orjson.loads(sent), "max_tokens": max_tokens, "temperature": 0})


def body(messages: Sequence[object], *, stream: bool, model: str) -> bytes:
    """One chat request."""
    return orjson.dumps({"model": model, "messages": messages, "stream": stream})


def _history(generator: random.Random) -> Sequence[object]:
    roles = ("user", "assistant")
    return [
        {"role": roles[turn % 2], "content": text(generator, 64)} for turn in range(HISTORY_TURNS)
    ]
