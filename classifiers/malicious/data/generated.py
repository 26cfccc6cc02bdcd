"""Attacks and harmless counterparts that our own code writes, as seeds where people give few.

Only the generators' training halves are used, so that evaluation on the held-out halves is fair.
"""

from classifiers.malicious.data.attack_prompts import documents, extract, inject, own_requests, wrap
from classifiers.malicious.data.twins import twins
from classifiers.prompts.labelled import LabelledPrompt

TWIN_PAIRS = 400
REQUESTS = 200
WRAPPED_PAIRS = 250
DOCUMENTS = 80
EXTRACTION_PAIRS = 60


def generated_prompts(seed: int = 0) -> list[LabelledPrompt]:
    """Some 800 attacks and as many counterparts: requests, frames, injections, extraction."""
    harmful, harmless = own_requests("train", REQUESTS, seed)
    return [
        *twins("train", TWIN_PAIRS, seed),
        *wrap(harmful, harmless, "train", WRAPPED_PAIRS, seed),
        *inject(documents("train", DOCUMENTS, seed), "train", seed),
        *extract("train", EXTRACTION_PAIRS, seed),
    ]
