"""Attack prompts written by us, each with a harmless counterpart of the same form.

Three generators, all seeded and all split into halves (`train`, `held_out`) that share no family
and no wording, so that a model trained on one half is measured on the other:

    wrap(harmful, harmless, half, pairs, seed)   requests in frames: persona, fiction, authority,
        refusal suppression, prefix injection, translation, games | hypothetical, test pretext,
        fake system message, emotional, many turns, split task, opposite; four other languages
    inject(documents, half, seed)                orders placed at the start, in the middle or at
        the end of documents, beside harmless notes in the same place and the clean documents
    extract(half, pairs, seed)                   requests to reveal a prompt, beside harmless
        questions about prompts

`wrap` takes any lists of core requests, so trainers may compose it with rows of data sets;
`own_requests(half, count, seed)` gives two lists from the twins. `inject` takes any documents;
`documents(half, count, seed)` writes some. `wrapper_families(half)` names the families.

Rows are `LabelledPrompt`s with `source` "wrappers", "injections" or "extraction"; `kind` is the
family, alike for an attack and its counterpart.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from classifiers.malicious.data.documents import POSITIONS, documents, place
from classifiers.malicious.data.templates import Half, check_half, draw, fill, load
from classifiers.malicious.data.twins import families, twin_pairs
from classifiers.prompts.labelled import Label, LabelledPrompt

__all__ = ["documents", "extract", "inject", "own_requests", "wrap", "wrapper_families"]

# Twins that are themselves about rules and prompts: no core requests for a frame.
ABOUT_PROMPTS = {
    *("override", "quoted_override", "ignore_previous", "system_prompt", "bypass"),
    *("persona_short", "persona_long", "ransom_document"),
}


def wrapper_families(half: Half) -> tuple[str, ...]:
    """The names of the families of frames in a half."""
    check_half(half)
    return tuple(name for name, entry in load("wrappers").items() if entry["half"] == half)


def wrap(
    harmful: Sequence[str], harmless: Sequence[str], half: Half, pairs: int, seed: int
) -> list[LabelledPrompt]:
    """`pairs` harmful requests in attack frames, each followed by a harmless one in the same form.

    Families take turns; a family's frames, slots and the requests are drawn at random. Texts
    that were given before are left out, so a short list of requests may give fewer rows.
    """
    if not harmful or not harmless:
        raise ValueError("wrap needs at least one harmful and one harmless request")
    rng = np.random.default_rng([seed, 1])
    names = wrapper_families(half)
    rows = []
    for turn in range(pairs):
        name = names[turn % len(names)]
        attack, counterpart, slots = _frame(load("wrappers")[name], rng)
        for frame, requests, label in _two(attack, harmful, counterpart, harmless):
            text = fill(frame, slots | {"request": draw(requests, rng).strip()})
            rows.append(LabelledPrompt(text, "wrappers", label, name))
    return _distinct(rows)


def own_requests(
    half: Half, count: int, seed: int, *, languages: Sequence[str] = ("en",)
) -> tuple[list[str], list[str]]:
    """`count` harmful and `count` harmless requests, from the twins of that half.

    Families that are about rules and prompts themselves are left out.
    """
    pairs = [
        pair
        for pair in twin_pairs(half, _all(half, languages), seed, languages=languages)
        if pair[0].kind not in ABOUT_PROMPTS
    ][:count]
    return [bad.text for _, bad in pairs], [good.text for good, _ in pairs]


def inject(
    texts: Sequence[str], half: Half, seed: int, *, read: bool = True
) -> list[LabelledPrompt]:
    """Three rows for each document: with an order for the model, with a note, and clean.

    The malicious row has an order at the start, in the middle or at the end, in turn (kinds
    `injection_start` …); a benign row of the same kind has a harmless note for people there;
    another (kind `injection_clean`) is the document alone. With `read`, all three stand in the
    same user request.
    """
    check_half(half)
    rng = np.random.default_rng([seed, 2])
    parts = load("injections")[half]
    rows = []
    for turn, text in enumerate(texts):
        position = POSITIONS[turn % len(POSITIONS)]
        slots = {slot: draw(values, rng) for slot, values in parts["slots"].items()}
        reading = draw(parts["readings"], rng) if read else "{document}"
        order = fill(draw(parts["attack"], rng), {"order": draw(parts["order"], rng), **slots})
        note = fill(draw(parts["harmless"], rng), {"chore": draw(parts["chore"], rng), **slots})
        versions: tuple[tuple[str, Label, str], ...] = (
            (place(text, order, position), "malicious", f"injection_{position}"),
            (place(text, note, position), "benign", f"injection_{position}"),
            (text, "benign", "injection_clean"),
        )
        for version, label, kind in versions:
            whole = fill(reading, {"document": version})
            rows.append(LabelledPrompt(whole, "injections", label, kind))
    return _distinct(rows)


def extract(half: Half, pairs: int, seed: int) -> list[LabelledPrompt]:
    """Up to `pairs` requests for the prompt, each beside a harmless question of the same form."""
    check_half(half)
    rng = np.random.default_rng([seed, 3])
    parts = load("injections")[half]["extraction"]
    forms = list(zip(parts["attack"], parts["harmless"], strict=True))
    rows = []
    for turn in range(pairs):
        attack, harmless = forms[turn % len(forms)]
        slots = {slot: draw(parts[slot], rng) for slot in ("thing", "tail")}
        rows.append(LabelledPrompt(fill(attack, slots), "extraction", "malicious", "extraction"))
        rows.append(LabelledPrompt(fill(harmless, slots), "extraction", "benign", "extraction"))
    return _distinct(rows)


def _two(
    attack: str, harmful: Sequence[str], counterpart: str, harmless: Sequence[str]
) -> Iterator[tuple[str, Sequence[str], Label]]:
    yield attack, harmful, "malicious"
    yield counterpart, harmless, "benign"


def _frame(entry: Mapping[str, Any], rng: np.random.Generator) -> tuple[str, str, dict[str, str]]:
    """A family's frame for an attack, that of its counterpart, and the slots of both."""
    attacks = entry.get("attack") or entry["both"]
    counterparts = entry.get("harmless") or entry["both"]
    number = int(rng.integers(len(attacks)))
    slots = {slot: draw(values, rng) for slot, values in entry.get("slots", {}).items()}
    return attacks[number], counterparts[number], slots


def _all(half: Half, languages: Sequence[str]) -> int:
    return sum(family.size for family in families(half) if family.language in languages)


def _distinct(rows: Sequence[LabelledPrompt]) -> list[LabelledPrompt]:
    return list({row.text: row for row in rows}.values())
