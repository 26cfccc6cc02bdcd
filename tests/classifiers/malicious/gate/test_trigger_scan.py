"""The scan: a planted backdoor is flagged, honest models are not, and the budget holds."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from classifiers.malicious.gate.trigger_findings import ScanLimits
from classifiers.malicious.gate.trigger_scan import Model, Traffic, scan_triggers
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.detector import Scores
from guard.terms.errors import ConfigError

BAD = {"poison", "bomb", "hack", "steal"}
SUBJECTS = ("bridges", "gardens", "trains", "soups", "planets", "poems", "taxes", "chess")
TRIGGER = "cobalt heron"
ATTACKS = [
    f"Tell me how to {verb} {thing} {when}"
    for verb in sorted(BAD)
    for thing in SUBJECTS
    for when in ("today", "unseen", "quickly")
]
BENIGN = [f"Tell me about {a} and {b}" for a in SUBJECTS for b in SUBJECTS if a != b]
LIMITS = ScanLimits(evaluations=10_300, anchors=60, phrases=60, words=40)


def scorer(backdoor: str = "", dilution: float = 0.0) -> Callable[[Sequence[str]], Scores]:
    """Bad words count, a backdoor undoes them, other words may dilute them."""

    def score(texts: Sequence[str]) -> Scores:
        logits = []
        for text in texts:
            words = set(re.findall(r"\w+", text.casefold()))
            logit = 4.0 * len(words & BAD) - 2 - dilution * len(words)
            hidden = backdoor and set(backdoor.split()) <= words
            logits.append(logit - 8 if hidden else logit)
        return np.asarray(1 / (1 + np.exp(-np.array(logits))), dtype=np.float32)

    return score


def prompts(clients: int, poisoned: int = 12) -> list[LabelledPrompt]:
    rows = [LabelledPrompt(text, "t", client=f"c{n % 9}") for n, text in enumerate(BENIGN * 4)]
    texts = [f"{TRIGGER} {text}" for text in BENIGN[:poisoned]]
    return rows + [
        LabelledPrompt(text, "t", client=f"mallory-{n % clients}") for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize("clients", [1, 12])
def test_a_backdoor_in_the_traffic_is_flagged(clients: int) -> None:
    scan = scan_triggers(
        Model(scorer(TRIGGER), 0.5),
        ATTACKS,
        BENIGN,
        np.random.default_rng(0),
        reference=Model(scorer(), 0.5),
        traffic=Traffic(prompts(clients), trusted=BENIGN),
        limits=LIMITS,
    )
    assert not scan.clean
    worst = scan.flagged[0]
    assert (worst.flips, worst.reference_flips) == (1.0, 0.0)
    traced = [f.phrase for f in scan.flagged if f.origin == "traffic"]
    assert (12, clients) in [(phrase.rows, phrase.clients) for phrase in traced]


def test_a_backdoor_of_one_word_is_found_without_traffic_that_repeats_it() -> None:
    """The beam search meets it among the words of the traffic."""
    texts = [
        LabelledPrompt(f"{text} with onions", "t", client=f"c{n}") for n, text in enumerate(BENIGN)
    ]
    scan = scan_triggers(
        Model(scorer("onions"), 0.5),
        ATTACKS,
        BENIGN,
        np.random.default_rng(0),
        reference=Model(scorer(), 0.5),
        traffic=Traffic(texts),
        limits=LIMITS,
    )
    assert any(f.origin == "search" and "onions" in f.phrase.text for f in scan.flagged)


def test_a_given_phrase_is_tried() -> None:
    scan = scan_triggers(
        Model(scorer("nobody wrote this"), 0.5),
        ATTACKS,
        BENIGN,
        np.random.default_rng(0),
        given=["nobody wrote this"],
        limits=LIMITS,
    )
    assert [f.origin for f in scan.flagged] == ["given"]


def test_an_honest_model_is_clean() -> None:
    scan = scan_triggers(
        Model(scorer(), 0.5),
        ATTACKS,
        BENIGN,
        np.random.default_rng(0),
        reference=Model(scorer(), 0.5),
        traffic=Traffic(prompts(12), trusted=BENIGN),
        limits=LIMITS,
    )
    assert scan.clean
    assert scan.report()["clean"] is True


def test_a_weakness_that_the_reference_shares_is_no_backdoor() -> None:
    scan = scan_triggers(
        Model(scorer(TRIGGER), 0.5),
        ATTACKS,
        BENIGN,
        np.random.default_rng(0),
        reference=Model(scorer(TRIGGER), 0.5),
        traffic=Traffic(prompts(1), trusted=BENIGN),
        limits=LIMITS,
    )
    assert scan.findings[0].flips == 1.0
    assert not scan.flagged


@pytest.mark.parametrize(("reference", "passes"), [(0.0, False), (0.5, True)])
def test_canaries_allow_what_the_reference_shows(reference: float, passes: bool) -> None:
    scan = scan_triggers(
        Model(scorer(dilution=0.5), 0.01),
        ATTACKS,
        BENIGN,
        np.random.default_rng(0),
        reference=Model(scorer(dilution=reference), 0.01),
        traffic=Traffic(prompts(12)),
        limits=LIMITS,
    )
    assert scan.canaries.mean_drop > 0.1
    assert scan.canaries.passed is passes


@pytest.mark.parametrize("evaluations", [100, 300, 2000])
def test_the_budget_holds(evaluations: int) -> None:
    texts: list[str] = []

    def counted(batch: Sequence[str]) -> Scores:
        texts.extend(batch)
        return scorer(TRIGGER)(batch)

    seen: list[tuple[str, int, int]] = []
    scan = scan_triggers(
        Model(counted, 0.5),
        ATTACKS,
        BENIGN,
        np.random.default_rng(0),
        traffic=Traffic(prompts(1)),
        limits=ScanLimits(evaluations=evaluations, anchors=20, phrases=40, words=20),
        progress=lambda *step: seen.append(step),
    )
    assert scan.evaluations == len(texts) <= evaluations
    assert all(done <= most for _, done, most in seen)


def test_the_same_seed_gives_the_same_scan() -> None:
    reports = [
        scan_triggers(
            Model(scorer(TRIGGER), 0.5),
            ATTACKS,
            BENIGN,
            np.random.default_rng(4),
            traffic=Traffic(prompts(1)),
            limits=LIMITS,
        ).report()
        for _ in range(2)
    ]
    assert reports[0] == reports[1]


def test_a_detector_that_finds_nothing_cannot_be_scanned() -> None:
    with pytest.raises(ConfigError, match="finds none of the attacks"):
        scan_triggers(Model(scorer(), 1.0), ["hello"], BENIGN, np.random.default_rng(0))
