"""The generated examples: so many of each kind, attacks and harmless ones in turn."""

from collections.abc import Callable, Sequence

import numpy as np

from classifiers.malicious.fine_tuning.examples import Example
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.multilingual.agent_rows import borderline_row, system_row, tool_row
from lab.detection.multilingual.document_rows import document_row, draw_parts
from lab.detection.multilingual.language_rows import language_row, languages
from lab.detection.multilingual.machine_rows import machine_row
from lab.detection.multilingual.scenario_rows import scenario_row
from lab.detection.multilingual.sentences import Rng
from lab.detection.multilingual.topic_rows import topic_row

LANGUAGE_ROWS, TOOL_ROWS, SYSTEM_ROWS, BORDERLINE_ROWS = 5600, 3000, 1000, 1000
MACHINE_ROWS, DOCUMENT_ROWS = 300, 2600
SCENARIO_ROWS, TOPIC_ROWS = 1600, 1600
SEED = 21

Write = Callable[[bool, Rng], Example]


def generate(prompts: Sequence[LabelledPrompt], share: float, seed: int) -> list[Example]:
    """That share of all kinds; orders and notes are put into documents of the `prompts`."""
    rng = np.random.default_rng([seed, SEED])
    found = language_rows(round(LANGUAGE_ROWS * share), rng)
    kinds = (
        *((tool_row, TOOL_ROWS), (system_row, SYSTEM_ROWS), (borderline_row, BORDERLINE_ROWS)),
        *((scenario_row, SCENARIO_ROWS), (topic_row, TOPIC_ROWS)),
    )
    for write, count in kinds:
        found += in_turn(write, round(count * share), rng)
    found += [machine_row(rng) for _ in range(round(MACHINE_ROWS * share))]
    parts = draw_parts(prompts, rng)
    count = round(DOCUMENT_ROWS * share) if parts.documents else 0
    return found + in_turn(lambda malicious, own: document_row(parts, malicious, own), count, rng)


def language_rows(count: int, rng: Rng) -> list[Example]:
    """Both classes of one language after the other: none has more attacks than harmless texts."""
    codes = languages()
    places = ((codes[number // 2 % len(codes)], number % 2 == 0) for number in range(count))
    return [language_row(code, malicious, rng) for code, malicious in places]


def in_turn(write: Write, count: int, rng: Rng) -> list[Example]:
    """So many examples, every other one malicious."""
    return [write(number % 2 == 0, rng) for number in range(count)]
