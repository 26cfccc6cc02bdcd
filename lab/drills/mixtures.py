"""Long texts of every kind, made up from a seed: what a hostile caller sends."""

import base64
import codecs
import json
import random
from collections.abc import Callable, Mapping

Maker = Callable[[random.Random, int], str]

_NOUNS = ("house", "river", "number", "paper", "garden", "light", "water", "music", "history")
_VERBS = ("write", "explain", "sing", "build", "follow", "describe", "count", "paint")


def prose(chance: random.Random, size: int) -> str:
    """Sentences, no two alike."""
    found, length = [], 0
    while length < size:
        found.append(
            f"Please {chance.choice(_VERBS)} the {chance.choice(_NOUNS)} number "
            f"{chance.randint(1, 10**6)} and the {chance.choice(_NOUNS)}. "
        )
        length += len(found[-1])
    return "".join(found)[:size]


def _numbers(chance: random.Random, size: int) -> str:
    return json.dumps([round(chance.random() * 1000, 6) for _ in range(size // 12 + 1)])[:size]


def _log(chance: random.Random, size: int) -> str:
    lines = (
        f"2026-11-{chance.randint(10, 30)}T10:{chance.randint(10, 59)}Z INFO "
        f"{chance.choice(_NOUNS)} id={chance.randbytes(8).hex()}"
        for _ in range(size // 50 + 1)
    )
    return "\n".join(lines)[:size]


def _table(chance: random.Random, size: int) -> str:
    rows = (
        f"{number},{chance.randint(0, 99999)},{chance.choice(_NOUNS)},{chance.random():.4f}"
        for number in range(size // 25 + 1)
    )
    return "\n".join(rows)[:size]


def _image(chance: random.Random, size: int) -> str:
    return base64.b64encode(chance.randbytes(size * 3 // 4)).decode()[:size]


def _encoded(chance: random.Random, size: int) -> str:
    return base64.b64encode(prose(chance, size * 3 // 4).encode()).decode()[:size]


def _chinese(chance: random.Random, size: int) -> str:
    return "".join(chr(chance.randint(0x4E00, 0x8FFF)) for _ in range(size // 3))


def _leet(chance: random.Random, size: int) -> str:
    return prose(chance, size).translate(str.maketrans("aeiot", "43107"))


def _rotated(chance: random.Random, size: int) -> str:
    return codecs.encode(prose(chance, size), "rot13")


def _mixed(chance: random.Random, size: int) -> str:
    makers = [maker for name, maker in MIXTURES.items() if name != "mixed"]
    return "\n".join(maker(chance, size // len(makers)) for maker in makers)


MIXTURES: Mapping[str, Maker] = {
    "prose": prose,
    "numbers": _numbers,
    "log": _log,
    "table": _table,
    "image": _image,
    "encoded": _encoded,
    "chinese": _chinese,
    "leet": _leet,
    "rotated": _rotated,
    "backwards": lambda chance, size: prose(chance, size)[::-1],
    "mixed": _mixed,
}
"""By name: makes about so many bytes."""
