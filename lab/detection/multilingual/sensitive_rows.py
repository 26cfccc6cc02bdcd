"""Sensitive questions, harmless and harmful, and scenarios that give a person a role.

Added after the first fold had shown that both were taken for attacks.
"""

import numpy as np

from classifiers.malicious.fine_tuning.examples import Example
from lab.detection.multilingual.sentences import (
    LANGUAGES,
    SENSITIVE,
    Rng,
    own_example,
    pick,
    read_sentences,
)

ENGLISH_DAILY = ("Thanks for yesterday.", "What is the capital of Kenya?")
"""The everyday prompts of the languages that `languages.yaml` does not have."""


def added_rows(seed: int = 0) -> list[Example]:
    """All of them, texts that repeat once."""
    rows = question_rows(np.random.default_rng([seed, 31]))
    return list({row.text: row for row in rows}.values())


def question_rows(rng: Rng) -> list[Example]:
    """Every question once by itself, and once behind or before an everyday prompt."""
    found = []
    for code, sides in read_sentences(SENSITIVE)["questions"].items():
        language = read_sentences(LANGUAGES).get(code, {"daily": ENGLISH_DAILY})
        for side, malicious in (("good", False), ("bad", True)):
            for text in sides[side]:
                other = pick(language["daily"], rng)
                both = f"{text}\n{other}" if rng.random() < 0.5 else f"{other} {text}"
                group = f"sensitive-{code}"
                found += [own_example(form, malicious, group) for form in (text, both)]
    return found
