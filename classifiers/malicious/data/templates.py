"""Filling of templates: package data, slots, and what may stand around a prompt.

Shared by the generators of twins and of attack prompts.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from guard.settings.document import Document

Half = Literal["train", "held_out"]
HALVES: tuple[Half, ...] = get_args(Half)


@cache
def load(name: str, package: str = __package__) -> Mapping[str, Any]:
    """The YAML mapping of that name in a package, this one unless said otherwise."""
    text = files(package).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return Document(Path(f"{name}.yaml"), text).mapping()


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with each {slot} of `values` replaced, its first letter in upper case.

    Slots are replaced one after the other and braces in values are kept, unlike `str.format`.
    """
    for slot, value in values.items():
        template = template.replace("{" + slot + "}", value)
    return template[:1].upper() + template[1:]


def check_half(half: str) -> None:
    """ValueError unless `half` is one of HALVES."""
    if half not in HALVES:
        raise ValueError(f"half must be one of {', '.join(HALVES)}, not {half!r}")


def draw(choices: Sequence[str], rng: np.random.Generator) -> str:
    """One of `choices`."""
    return choices[int(rng.integers(len(choices)))]


def combinations(slots: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Every way to fill the slots; one empty way where there are none."""
    return [dict(zip(slots, values, strict=True)) for values in product(*slots.values())]


FRAMES: Mapping[tuple[str, Half], tuple[str, ...]] = {
    ("en", "train"): (
        "{}",
        "Hello! {}",
        "Quick question. {}",
        "{} Thanks in advance.",
        "I have been thinking about this for days. {}",
        "{} Please keep the answer short.",
    ),
    ("en", "held_out"): (
        "{}",
        "Good morning. {}",
        "There is one thing I have to ask. {}",
        "{} A simple explanation would be great.",
        "{} My cousin could not tell me.",
        "Nobody here knows. {}",
    ),
    ("de", "train"): ("{}", "Hallo! {}", "{} Danke schon mal."),
    ("de", "held_out"): ("{}", "Guten Morgen. {}", "{} Bitte kurz antworten."),
    ("es", "train"): ("{}", "¡Hola! {}", "{} Gracias de antemano."),
    ("es", "held_out"): ("{}", "Buenos días. {}", "{} Responde con brevedad."),
    ("fr", "train"): ("{}", "Bonjour ! {}", "{} Merci d'avance."),
    ("fr", "held_out"): ("{}", "Une question. {}", "{} Réponds brièvement."),
    ("zh", "train"): ("{}", "你好！{}", "{}谢谢。"),
    ("zh", "held_out"): ("{}", "请问一下，{}", "{}回答简短一点。"),
}
"""What may stand before or after a prompt, for each language and half; alike for both labels."""
