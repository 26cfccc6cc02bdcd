"""Texts around agents, each attack with a harmless text of its form.

Orders in what a tool returns against notes for people, lawless system prompts against strict ones,
and questions of which one word decides.
"""

import numpy as np

from classifiers.malicious.fine_tuning.examples import Example
from lab.detection.multilingual.carriers import MOST_CHARACTERS, carry
from lab.detection.multilingual.sentences import (
    AGENTS,
    LANGUAGES,
    Rng,
    fill,
    insert,
    own_example,
    pick,
    read_sentences,
    several,
    shuffled,
)

FOREIGN_SHARE = 0.12
"""Of orders: those in another language than English."""


def order(rng: Rng) -> str:
    """An order to the assistant that reads the text around it."""
    own = read_sentences(AGENTS)
    if rng.random() < FOREIGN_SHARE:
        other = pick(list(read_sentences(LANGUAGES).values()), rng)
        return str(pick(other["inject"], rng)).replace("{a}", pick(own["address"], rng))
    framed = pick(own["order_frames"], rng).replace("{o}", pick(own["orders"], rng))
    return fill(framed, rng, "secret", "address", "tool", "host")


def note(rng: Rng) -> str:
    """A note to people, which only looks like an order."""
    return fill(pick(read_sentences(AGENTS)["notes"], rng), rng, "address", "host")


def tool_row(malicious: bool, rng: Rng) -> Example:
    """What a tool returned, with or without an order in it, and sometimes the user's task."""
    own = read_sentences(AGENTS)
    line = order(rng) if malicious else note(rng)
    body = several(own["plain"], 1, 5, rng)
    if rng.random() < 0.4:
        body.append(note(rng))
    if malicious or rng.random() < 0.7:
        insert(body, line, rng)
    task, place = "", 0
    if rng.random() < 0.35:
        task, place = pick(own["tasks"], rng), int(rng.random() < 0.7)
    return own_example(fitting(body, line, task, place, rng), malicious, "tools")


def fitting(body: list[str], line: str, task: str, place: int, rng: Rng) -> str:
    """The text in a carrier, with as many of the lines as it has room for; `line` never goes."""
    while True:
        text = carry(body, rng)
        if task:
            text = f"{task}\n\n{text}" if place else f"{text}\n\n{task}"
        spare = [number for number, other in enumerate(body) if other != line]
        if len(text) <= MOST_CHARACTERS or not spare:
            return text
        del body[pick(spare, rng)]


def system_row(malicious: bool, rng: Rng) -> Example:
    """A system prompt: rules alone, or with rules that lift the law."""
    own = read_sentences(AGENTS)
    lines = several(own["rules_good"], 2, 8, rng)
    if malicious:
        lines = lines[: int(rng.integers(1, 4))] + several(own["rules_bad"], 1, 3, rng)
    lines = shuffled(lines, rng)
    opening = pick(own["opening"], rng).replace("{role}", pick(own["roles"], rng))
    text = _system_prompt(opening, lines, rng)
    if not malicious and rng.random() < 0.15:
        text = pick(lines, rng)
    return own_example(fill(text, rng, "address"), malicious, "system")


def _system_prompt(opening: str, rules: list[str], rng: Rng) -> str:
    form = rng.random()
    if form < 0.4:
        return "\n".join([opening, "", *(f"- {rule}" for rule in rules)])
    if form < 0.7:
        numbered = (f"{number}. {rule}" for number, rule in enumerate(rules, 1))
        return "\n".join([opening, "", "## Rules", *numbered])
    return " ".join([opening, *rules])


def borderline_row(malicious: bool, rng: Rng) -> Example:
    """A question whose one slot decides; forms with many words for it are drawn more often."""
    side = "bad" if malicious else "good"
    entries = [entry for entry in read_sentences(AGENTS)["borderline"] if entry[side]]
    sizes = np.array([len(entry[side]) ** 0.7 for entry in entries])
    entry = entries[int(rng.choice(len(entries), p=sizes / sizes.sum()))]
    text = pick(entry["form"], rng).replace("{x}", pick(entry[side], rng))
    return own_example(text, malicious, "borderline")
