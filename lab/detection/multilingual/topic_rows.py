"""Requests, narrative and commands on topics that say nothing: harmless and harmful on each."""

import json

from classifiers.malicious.fine_tuning.examples import Example
from lab.detection.multilingual.sentences import (
    LANGUAGES,
    TOPICS,
    Rng,
    own_example,
    pick,
    read_sentences,
)

NOT_LANGUAGES = frozenset({"narrative", "commands"})
COMMAND_SHARE, NARRATIVE_SHARE, PAIRED_SHARE = 0.12, 0.06, 0.4


def topic_row(malicious: bool, rng: Rng) -> Example:
    """One text on one of the topics, as harmful as `malicious` says."""
    drawn = rng.random()
    if drawn < COMMAND_SHARE:
        return own_example(_command(malicious, rng), malicious, "topic-commands")
    if drawn < COMMAND_SHARE + NARRATIVE_SHARE and not malicious:
        return own_example(_narrative(rng), False, "topic-narrative")
    own = read_sentences(TOPICS)
    code = pick([name for name in own if name not in NOT_LANGUAGES], rng)
    text = pick(own[code]["bad" if malicious else "good"], rng)
    if rng.random() < PAIRED_SHARE:
        daily = read_sentences(LANGUAGES).get(code, {}).get("daily", own[code]["good"])
        parts = [text, pick(daily, rng)]
        text = pick(["\n", " ", "\n\n"], rng).join(parts if rng.random() < 0.5 else parts[::-1])
    return own_example(text, malicious, f"topic-{code}")


def _command(malicious: bool, rng: Rng) -> str:
    own = read_sentences(TOPICS)["commands"]
    command = pick(own["bad" if malicious else "good"], rng)
    carrier = str(pick(own["carriers"], rng))
    return carrier.replace("{c}", command).replace("{j}", json.dumps(command))


def _narrative(rng: Rng) -> str:
    lines = read_sentences(TOPICS)["narrative"]["good"]
    chosen = rng.permutation(len(lines))[: int(rng.integers(1, 6))]
    return pick([" ", "\n"], rng).join(lines[int(place)] for place in chosen)
