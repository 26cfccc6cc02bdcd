"""The gate at the end of a training: the new detector against the one in service.

Both score the same labelled prompts, which neither learned from; traffic is scanned for phrases
that hide attacks from the new one.
"""

from pathlib import Path

import numpy as np

from classifiers.malicious.data.prompt_parts import TrainingPrompts
from classifiers.malicious.gate.evaluation_set import GateSet, gate_row
from classifiers.malicious.gate.gate import GateLimits, GateResult, run_gate
from classifiers.malicious.gate.served_model import load_model
from classifiers.malicious.gate.trigger_findings import ScanLimits
from classifiers.malicious.gate.trigger_scan import Model, Progress, Traffic
from guard.terms.detector import Encoder, Scores
from guard.terms.errors import ConfigError, GuardError

SPARE_FPR = 2.0
"""The gate allows so many times the false-positive rate aimed at: its bound is an upper one."""


class PromotionRefusedError(GuardError):
    """The gate refused a detector; the message names the numbers."""

    def __init__(self, result: GateResult) -> None:
        super().__init__("refused: " + "; ".join(result.refusals))
        self.result = result


def check_promotion(
    model: Model,
    prompts: TrainingPrompts,
    in_service: Path,
    encoder: Encoder | None,
    *,
    fpr: float,
    evaluations: int,
    seed: int,
    traffic_scores: Scores | None = None,
    progress: Progress | None = None,
) -> GateResult:
    """Run the gate on the test prompts of validation; PromotionRefusedError where it says no.

    `fpr` is the false-positive rate that the model aims at, `evaluations` bounds the texts that the
    trigger scan scores. `traffic_scores` (n,) are what the model gives the unlabelled prompts, if
    that is known.
    ConfigError without labelled validation of both classes.
    """
    if {"malicious", "benign"} - {prompt.label for prompt in prompts.test}:
        raise ConfigError("validation: the gate needs labelled prompts of both classes")
    trusted = [prompt.text for prompt in prompts.trusted_benign]
    result = run_gate(
        model,
        GateSet(tuple(gate_row(prompt) for prompt in prompts.test)),
        np.random.default_rng([seed, 101]),
        in_service=load_model(in_service, encoder),
        traffic=Traffic(prompts.unlabelled, traffic_scores, trusted),
        limits=GateLimits(
            fpr=max(GateLimits().fpr, SPARE_FPR * fpr),
            scan=ScanLimits(evaluations=evaluations),
        ),
        progress=progress,
    )
    if not result.passed:
        raise PromotionRefusedError(result)
    return result
