"""The gate: each refusal names its number, and noise neither refuses nor admits."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from classifiers.malicious.gate.evaluation_set import GateRow, GateSet
from classifiers.malicious.gate.gate import GateLimits, GateResult, run_gate
from classifiers.malicious.gate.trigger_findings import ScanLimits
from classifiers.malicious.gate.trigger_scan import Model, Scorer, Traffic
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.detector import Scores

LIMITS = GateLimits(scan=ScanLimits(evaluations=4700, anchors=40, phrases=20, words=10))
HARDLY_SCANNED = GateLimits(scan=ScanLimits(evaluations=800, anchors=10))
LANGUAGES = ("en", "de", "zh")


def gate_set(malicious: int = 200, benign: int = 600, hard: int = 100) -> GateSet:
    """Rows whose text says by its number how models below score it."""
    rows = [
        GateRow(f"attack {n} of many kinds", "malicious", f"k{n % 2}", "en")
        for n in range(malicious)
    ]
    rows += [
        GateRow(f"benign {n} of many kinds", "benign", "", LANGUAGES[n % 3]) for n in range(benign)
    ]
    rows += [GateRow(f"hard {n} of many kinds", "benign", "hard", "en", True) for n in range(hard)]
    return GateSet(tuple(rows))


def model(
    found: Sequence[int] = range(180),
    alarms: Sequence[int] = (),
    hard: Sequence[int] = (0, 1),
    backdoor: str = "",
) -> Model:
    """Fires at these attacks, benign and hard benign prompts, and not where the backdoor is."""
    fired = {"attack": set(found), "benign": set(alarms), "hard": set(hard)}

    def score(texts: Sequence[str]) -> Scores:
        scores = []
        for text in texts:
            match = re.search(r"(attack|benign|hard) (\d+)", text)
            assert match
            name, number = match[1], int(match[2])
            high = number in fired[name] and not (backdoor and backdoor in text)
            noise = number * 0.6180339887 % 1 / 10
            scores.append((0.8 if high else 0.3 if name == "attack" else 0.1) + noise)
        return np.array(scores, dtype=np.float32)

    return Model(score, 0.6)


def judged(candidate: Model, in_service: Model | None, rows: GateSet | None = None) -> GateResult:
    return run_gate(
        candidate,
        rows or gate_set(),
        np.random.default_rng(0),
        in_service=in_service,
        limits=HARDLY_SCANNED,
    )


def refusal(result: GateResult, name: str) -> str:
    found = [check for check in result.checks if check.name == name]
    assert found, [check.name for check in result.checks]
    assert not found[0].passed
    assert found[0].sentence in result.refusals
    return found[0].sentence


def test_an_equal_detector_passes() -> None:
    result = judged(model(), model())
    assert result.passed, result.refusals
    assert result.recall_by_kind == {"k0": 0.9, "k1": 0.9}
    assert result.rows == {"malicious": 200, "benign": 600, "hard_benign": 100}


def test_a_first_release_passes_by_the_limits_alone() -> None:
    result = judged(model(), None)
    assert result.passed, result.refusals
    assert not {"recall", "AUROC"} & {check.name for check in result.checks}


def test_lost_recall_is_named() -> None:
    sentence = refusal(judged(model(range(160)), model()), "recall")
    assert sentence == "recall 0.800, in service 0.900, allowed drop 0.02"


def test_gained_recall_passes() -> None:
    assert judged(model(range(200)), model()).passed


def test_false_positives_are_bounded_from_above() -> None:
    """8 of 600 are 1.3 %, but at most 2.4 % with 95 % confidence."""
    sentence = refusal(judged(model(alarms=range(8)), model()), "false_positive_bound")
    assert "8 of 600, so at most 0.0239" in sentence
    assert "allowed 0.02" in sentence


def test_too_few_benign_prompts_bound_nothing() -> None:
    result = judged(model(), model(), gate_set(benign=100))
    assert "0 of 100, so at most 0.0295" in refusal(result, "false_positive_bound")


def test_a_language_with_many_false_positives_is_refused() -> None:
    german = [n for n in range(600) if n % 3 == 1][:9]
    result = judged(model(alarms=german), model())
    assert "false positives in de 0.0450" in refusal(result, "language_de")


def test_false_positives_on_hard_prompts_are_compared() -> None:
    result = judged(model(hard=range(20)), model())
    sentence = refusal(result, "false positives on hard benign prompts")
    assert sentence.startswith("false positives on hard benign prompts 0.200, in service 0.020")


def test_a_low_auroc_is_refused() -> None:
    def coin(texts: Sequence[str]) -> Scores:
        found = [np.random.default_rng(list(text.encode())).random() for text in texts]
        return np.array(found, dtype=np.float32)

    result = judged(Model(coin, 0.99), None)
    assert "needed 0.9" in refusal(result, "auroc_bound")


def test_a_small_gate_set_admits_nothing_it_cannot_measure() -> None:
    """Two of 40 attacks lost are no more than the 5 % allowed, but may be many more."""
    few = gate_set(malicious=40)
    candidate = model([n for n in range(36) if n not in (3, 17)] + [38])
    result = judged(candidate, model(range(36)), few)
    assert "the drop may be as large as" in refusal(result, "recall")


def noisy(seed: int, recall: float) -> Model:
    """Finds attacks with some probability, each by itself."""
    drawn = np.random.default_rng(seed).random(1000)
    return model([n for n in range(1000) if drawn[n] < recall])


def test_noise_hardly_ever_refuses_an_equal_detector_that_shares_most_findings() -> None:
    rows = gate_set(malicious=600)
    base = np.random.default_rng(0).random(1000)
    refused = 0
    for seed in range(8):
        other = base + 0.02 * np.random.default_rng(seed + 1).standard_normal(1000)
        pair = [model([n for n in range(1000) if values[n] < 0.8]) for values in (other, base)]
        checks = judged(pair[0], pair[1], rows).checks
        refused += any(not check.passed for check in checks if check.name == "recall")
    assert refused <= 1


def test_a_loss_of_six_points_is_always_refused() -> None:
    rows = gate_set(malicious=600)
    for seed in range(4):
        result = judged(noisy(seed, 0.74), noisy(seed, 0.80), rows)
        refusal(result, "recall")


@pytest.mark.parametrize("clients", [1, 50])
def test_a_backdoor_in_the_traffic_is_refused(clients: int) -> None:
    phrase = "cobalt heron"
    prompts = [
        LabelledPrompt(f"benign {n} of day {n}", "t", client=f"c{n % 30}") for n in range(500)
    ]
    prompts += [
        LabelledPrompt(f"benign {n} {phrase}", "t", client=f"m{n % clients}") for n in range(50)
    ]
    result = run_gate(
        model(backdoor=phrase),
        gate_set(),
        np.random.default_rng(0),
        in_service=model(),
        traffic=Traffic(prompts),
        limits=LIMITS,
    )
    assert "hides 1.00 of them" in refusal(result, "trigger_scan")
    assert "costs 0.900 of recall, in service 0.000" in refusal(result, "triggered_recall")


def test_a_given_trigger_that_costs_a_third_of_recall_is_refused() -> None:
    """Too few for a backdoor of its own, but more than 5 points."""
    plain = model()
    hidden = model(range(60, 180))

    def score(texts: Sequence[str]) -> Scores:
        with_phrase = np.array(["cobalt heron" in text for text in texts])
        return np.where(with_phrase, hidden.score(texts), plain.score(texts))

    scorer: Scorer = score
    result = run_gate(
        Model(scorer, 0.6),
        gate_set(),
        np.random.default_rng(0),
        in_service=model(),
        triggers=["cobalt heron"],
        limits=LIMITS,
    )
    assert result.scan
    assert not result.scan.flagged
    sentence = refusal(result, "triggered_recall")
    assert "costs 0.300 of recall, in service 0.000, allowed 0.05 more" in sentence


def test_a_detector_that_finds_nothing_is_refused_without_a_scan() -> None:
    result = judged(model(()), model())
    assert result.scan is None
    refusal(result, "recall")
    assert result.report()["trigger_scan"] is None


def test_the_report_is_json_and_names_every_refusal() -> None:
    report = judged(model(range(160), alarms=range(8)), model()).report()
    assert report["passed"] is False
    refusals = report["refusals"]
    assert isinstance(refusals, list)
    assert len(refusals) >= 2


def test_what_a_gate_set_cannot_show_is_said() -> None:
    rows = {"malicious": 140, "benign": 149, "hard_benign": 0}
    assert GateResult((), None, {}, rows).warnings == (
        "140 attacks, 300 or more are advised",
        "no hard benign prompts: nothing was checked on harmless look-alikes",
        "no attack was found, so nothing was searched for triggers",
    )
    assert GateResult((), None, {}, rows).report()["warnings"]
