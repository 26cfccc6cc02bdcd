"""What it costs to remember answers and to recognise them, in one thread, without HTTP.

    python -m lab.performance.recognition [--events 64] [--turns 12]

The relay of a stream with and without the listener, CPU time by turns so that a busy neighbour
slows both alike; and what a request whose history is known costs, beside parsing it.
"""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Callable, Sequence
from statistics import median
from time import process_time_ns

import orjson

from guard.observability.metrics import Metrics
from guard.recognition.answers import AnswerListener, KnownAnswers
from guard.recognition.digests import Digester
from guard.recognition.recent import RecentDigests
from guard.terms.item import Call
from guard.upstream.relay import relay_events
from guard.wire.fields import FieldRules
from guard.wire.json_body import BodyLimits, parse_body
from guard.wire.protocols import CHAT

ROUNDS = 41
REPEATS = 20
WORDS = "an answer of some words "


def stream(events: int) -> list[bytes]:
    """An answer as vLLM streams it, a token an event."""
    head = {"id": f"chatcmpl-{'0' * 32}", "object": "chat.completion.chunk", "created": 1780000000}
    told = []
    for place in range(events):
        delta = {"content": WORDS.split()[place % 5] + " "}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        chunk = {**head, "model": "demo", "choices": [choice], "token_ids": None}
        told.append(b"data: " + orjson.dumps(chunk) + b"\n\n")
    return [*told, b"data: [DONE]\n\n"]


def known_answers() -> KnownAnswers:
    """A memory of the size that is shipped."""
    return KnownAnswers(Digester(b"k" * 32), RecentDigests(100_000, 3600), Metrics())


async def relay(events: Sequence[bytes], listener: AnswerListener | None) -> int:
    """Relay a stream; returns the bytes that came out."""

    async def upstream() -> AsyncIterator[bytes]:
        for event in events:
            yield event

    return sum([len(sent) async for sent in relay_events(upstream(), None, CHAT, listener)])


def chat(turns: int) -> bytes:
    """A chat whose assistant has said something in every turn."""
    pair = [
        {"role": "user", "content": WORDS * 12},
        {"role": "assistant", "content": WORDS * 60},
    ]
    last = {"role": "user", "content": "And now?"}
    return orjson.dumps({"model": "demo", "messages": [*pair * turns, last]})


def parsed(body: bytes) -> Call:
    """The call that a body makes."""
    limits = BodyLimits(max_bytes=4 << 20, max_depth=64, max_values=200_000)
    return CHAT.parse(parse_body(body, "application/json", limits), FieldRules(), None)


def microseconds(work: Callable[[], object]) -> float:
    """CPU time of one run, the mean of some."""
    began = process_time_ns()
    for _ in range(REPEATS):
        work()
    return (process_time_ns() - began) / 1000 / REPEATS


def compare(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Medians of both over rounds in which they take turns, µs."""
    pairs = [(microseconds(one), microseconds(other)) for _ in range(ROUNDS)]
    return median(first for first, _ in pairs), median(second for _, second in pairs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=64)
    parser.add_argument("--turns", type=int, default=12)
    options = parser.parse_args(arguments)
    events, body, answers = stream(options.events), chat(options.turns), known_answers()
    call = parsed(body)
    answers.keep("key", [("text", (WORDS * 60).strip())])
    with asyncio.Runner() as runner:

        def relayed(listener: AnswerListener | None) -> int:
            return runner.run(relay(events, listener))

        def recognised() -> object:
            return runner.run(answers.known_fields(call, "key", ()))

        bare, heard = compare(lambda: relayed(None), lambda: relayed(answers.listener(call, "key")))
        read, known = compare(lambda: parsed(body), recognised)
    each = (heard - bare) / options.events
    sys.stdout.write(
        f"relay of {options.events} events: {bare:.0f} µs, heard {heard:.0f} µs, "
        f"{each:.2f} µs more for each event\n"
        f"history of {options.turns} turns: parsed {read:.0f} µs, recognised {known:.0f} µs\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
