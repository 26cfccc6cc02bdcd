"""Structure-aware mutations of JSON bodies, and of bytes."""

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from classifiers.evaluation.obfuscation import ALL
from guard.wire.chat import CHAT_FIELDS, MESSAGE_FIELDS
from guard.wire.completions import COMPLETION_FIELDS
from guard.wire.messages.fields import MESSAGES_FIELDS
from guard.wire.responses.fields import RESPONSES_FIELDS
from tests.e2e.bypass.canary import CANARY
from tests.guard.screening.views.disguises import DISGUISES as WRITTEN

DISGUISES = ALL | WRITTEN
FIELDS = sorted(
    {*CHAT_FIELDS, *MESSAGE_FIELDS, *COMPLETION_FIELDS, *MESSAGES_FIELDS, *RESPONSES_FIELDS}
)
WORDS = (
    *("user", "system", "assistant", "tool", "developer", "text", "refusal", "function", "auto"),
    *("input_text", "output_text", "function_call", "function_call_output", "reasoning", "message"),
    *("tool_use", "tool_result", "thinking", "image", "image_url", "prompt_embeds", "json_schema"),
    *(
        "regex",
        "url",
        "base64",
        "none",
        "demo",
        "resp_1",
        "[DONE]",
        "data: x\n\n",
        "<prompt_embeds>",
    ),
)
TEXTS = (
    "",
    " ",
    CANARY,
    "\x00",
    "\ud800",
    "\udfff\ud83d",
    "\u202e\u2066abc",
    "\u200b" * 50,
    "é" * 3,
    "\U0001f468\u200d\U0001f469",
    "\uffff\ufffe",
    "\U000e0041\U000e0042",
    "İıſß",
    "\r\n\u2028\u2029\x85",
    "%00%2e%2e",
    "&#0;&#x110000;",
    "\\u{110000}\\ud800\\x",
    "[" * 200,
    "((((a+)+)+)+",
    "=" * 100,
    "A" * 5000,
    "0 " * 2000,
    "1e400",
    "-0",
)
NUMBERS = (0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308)
ODD = (float("nan"), float("inf"), True, False, None)
DEEPEST = 120


def junk(random: Random) -> Any:
    """A value of any type, often an unpleasant one."""
    kind = random.randrange(10)
    if kind < 4:
        return random.choice((*TEXTS, *WORDS))
    if kind < 6:
        return random.choice((*NUMBERS, *ODD))
    if kind == 6:
        return DISGUISES[random.choice(sorted(DISGUISES))](CANARY)
    if kind == 7:
        return [junk(random) for _ in range(random.randrange(4))]
    if kind == 8:
        return {random.choice((*FIELDS, *WORDS)): junk(random) for _ in range(random.randrange(4))}
    return nested(random)


def nested(random: Random) -> Any:
    """A deep value."""
    value: Any = random.choice(TEXTS)
    for _ in range(random.randrange(DEEPEST)):
        value = [value] if random.random() < 0.5 else {random.choice(WORDS): value}
    return value


def mutated(body: Any, random: Random) -> Any:
    """A copy of `body` with one to four changes."""
    changed = copy.deepcopy(body)
    for _ in range(random.randrange(1, 5)):
        places = _places(changed)
        if not places:
            return junk(random)
        container, key = random.choice(places)
        random.choice(CHANGES)(container, key, random)
    return changed


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) inside a value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, inner in pairs:
            found.append((item, key))
            if isinstance(inner, dict | list):
                waiting.append(inner)
    return found


def _swap(container: Any, key: Any, random: Random) -> None:
    container[key] = junk(random)


def _delete(container: Any, key: Any, random: Random) -> None:  # noqa: ARG001 - one signature
    del container[key]


def _wrap(container: Any, key: Any, random: Random) -> None:
    value = container[key]
    container[key] = [value] if random.random() < 0.5 else {random.choice(FIELDS): value}


def _repeat(container: Any, key: Any, random: Random) -> None:
    times = random.choice((2, 3, 300))
    container[key] = [container[key]] * times


def _add(container: Any, key: Any, random: Random) -> None:
    if isinstance(container, dict):
        container[random.choice((*FIELDS, *WORDS, *TEXTS))] = junk(random)
    else:
        container.insert(key, junk(random))


def _rename(container: Any, key: Any, random: Random) -> None:
    if isinstance(container, dict):
        container[random.choice((*FIELDS, *WORDS))] = container.pop(key)


def _poison(container: Any, key: Any, random: Random) -> None:
    """Put the canary, or a disguise of it, inside a text."""
    value = container[key]
    if isinstance(value, str):
        container[key] = value + random.choice(("", " ", "\n")) + random.choice((CANARY, *TEXTS))


CHANGES: tuple[Callable[[Any, Any, Random], None], ...] = (
    _swap,
    _swap,
    _delete,
    _wrap,
    _repeat,
    _add,
    _add,
    _rename,
    _poison,
)


def serialised(body: Any, random: Random) -> bytes:
    """JSON as some client may write it: with NaN, raw or escaped letters, keys twice."""
    text = json.dumps(body, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.05:
        name = random.choice(("role", "content", "model", "messages", "prompt", "type"))
        text = text.replace(f'"{name}":', f'"{name}": {json.dumps(junk(random))}, "{name}":', 1)
    return text.encode("utf-8", "surrogatepass")


def flipped(raw: bytes, random: Random) -> bytes:
    """Bytes with a few of them changed, removed, repeated or cut off."""
    data = bytearray(raw)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(data) + 1)
        match random.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 1:
                del data[at : at + random.randrange(1, 9)]
            case 2:
                data[at:at] = random.randbytes(random.randrange(1, 9))
            case 3:
                data[at:at] = data[at : at + 40]
            case _:
                data[at:at] = random.choice((b'"', b"{", b"]", b"\\", b",", b":", b"\xff", b"\x00"))
    return bytes(data[: random.randrange(len(data) + 1)] if random.random() < 0.1 else data)
