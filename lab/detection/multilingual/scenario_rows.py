"""Scenarios that tell a person in a conversation who to be and what to want.

Those of public test sets for customer service were taken for attacks: "You are", "you want to" and
"if the agent refuses" stand in role-play attacks too. Here the wish alone decides.
"""

from classifiers.malicious.fine_tuning.examples import Example
from lab.detection.multilingual.carriers import MOST_CHARACTERS
from lab.detection.multilingual.sentences import (
    AGENTS,
    SCENARIOS,
    Rng,
    own_example,
    pick,
    read_sentences,
    several,
    shuffled,
)

FOREIGN_SHARE, FLOW_SHARE = 0.2, 0.2
"""Of scenarios: in another language than English; for the firm's side."""
WORDS = ("place", "good", "trait", "firm")


def scenario_row(malicious: bool, rng: Rng) -> Example:
    """One scenario, as harmful as `malicious` says."""
    own = read_sentences(SCENARIOS)
    if rng.random() < FOREIGN_SHARE:
        sides = pick(list(own["languages"].values()), rng)
        text = pick(sides["bad" if malicious else "good"], rng)
    else:
        text = _english(malicious, rng)
    return own_example(_filled(text, rng), malicious, "scenario")


def _english(malicious: bool, rng: Rng) -> str:
    own = read_sentences(SCENARIOS)
    flow = rng.random() < FLOW_SHARE
    lines = several(own["flow_good" if flow else "wishes_good"], 1, 4, rng)
    if not flow:
        lines = lines[:3] + several(own["rules_good"], 0, 2, rng)
        lines += several(own["traits_lines"], 0, 2, rng)
    if malicious:
        lines = [*lines[:2], *several(own["flow_bad" if flow else "wishes_bad"], 1, 2, rng)]
    lines = shuffled(lines, rng)
    while sum(map(len, lines)) > MOST_CHARACTERS - 200:
        lines.pop(0 if not malicious else next(i for i, x in enumerate(lines) if x not in _bad()))
    if rng.random() < 0.85:
        lines.insert(0 if rng.random() < 0.7 else len(lines), pick(own["opening"], rng))
    return pick([" ", "\n", "\n- "], rng).join(lines)


def _bad() -> list[str]:
    own = read_sentences(SCENARIOS)
    return [*own["wishes_bad"], *own["flow_bad"]]


def _filled(text: str, rng: Rng) -> str:
    """The text with its words filled in, one person for all of it but a second name."""
    own, people = read_sentences(SCENARIOS), read_sentences(AGENTS)["person"]
    person = pick(people, rng)
    text = text.replace("{person_id}", person.split()[0].lower())
    text = text.replace("{person}", person, 1).replace("{person}", pick(people, rng))
    while "{number}" in text:
        text = text.replace("{number}", str(rng.integers(1000, 99999)), 1)
    for name in WORDS:
        words = own["good_word" if name == "good" else name]
        while "{" + name + "}" in text:
            text = text.replace("{" + name + "}", pick(words, rng), 1)
    return text
