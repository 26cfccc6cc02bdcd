"""How a canary's verdicts compare with those of the detector in service."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from guard.terms.verdict import CANARY, Finding, Verdict

DIFFERENCES = (-0.5, -0.2, -0.1, -0.05, -0.02, -0.01, 0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)


class Comparison:
    """The series of canaries: both detectors have judged the same request."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._agreement = Counter(
            "ecoguard_canary_agreement_total",
            "Requests of the canary's share of keys, by which detector's policy fired.",
            ("policy", "fired"),
            registry=registry,
        )
        self._differences = Histogram(
            "ecoguard_canary_score_difference",
            "The canary's highest score of a request less that of the detector in service.",
            ("policy",),
            buckets=DIFFERENCES,
            registry=registry,
        )

    def count(self, verdict: Verdict) -> None:
        """Count a request that a canary judged; others change nothing."""
        findings = {f.policy: f for f in (*verdict.findings, *verdict.passed)}
        for name, new in findings.items():
            policy, _, kind = name.partition("@")
            if kind == CANARY and (old := findings.get(policy)):
                self._count(policy, old, new)

    def _count(self, policy: str, old: Finding, new: Finding) -> None:
        self._agreement.labels(policy, _fired(old, new)).inc()
        if old.score is not None and new.score is not None:
            self._differences.labels(policy).observe(new.score - old.score)


def _fired(old: Finding, new: Finding) -> str:
    if old.failed or new.failed:
        return "failed"
    match bool(old.items), bool(new.items):
        case True, True:
            return "both"
        case True, False:
            return "only_old"
        case False, True:
            return "only_new"
    return "neither"
