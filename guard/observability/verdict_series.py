"""The series about verdicts: findings, scores, and what policies in shadow would change."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter

from guard.observability.comparison import Comparison
from guard.observability.series import FoundCounter, FoundHistogram
from guard.terms.item import Side
from guard.terms.verdict import Finding, Verdict

SCORES = tuple(step / 20 for step in range(1, 21))
P_VALUES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)


class VerdictSeries:
    """What policies found, those in shadow apart; labels are names of the configuration."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._comparison = Comparison(registry)
        self._findings = FoundCounter(
            "ecoguard_findings_total",
            "Policies that fired or failed, by the action they asked for.",
            ("policy", "side", "action", "failed"),
            registry=registry,
        )
        self._shadow_findings = FoundCounter(
            "ecoguard_shadow_findings_total",
            "Shadow policies that fired or failed, by the action they would have asked for.",
            ("policy", "side", "action", "failed"),
            registry=registry,
        )
        self._shadow_changes = Counter(
            "ecoguard_shadow_changes_total",
            "Requests that shadow policies would have treated more severely than they were.",
            ("side", "action", "would"),
            registry=registry,
        )
        self._scores = FoundHistogram(
            "ecoguard_score",
            "Highest score of each screened request, by policy.",
            ("policy",),
            buckets=SCORES,
            registry=registry,
        )
        self._unread = FoundCounter(
            "ecoguard_unread_tokens_total",
            "About how many tokens were passed on unread, for the budget's sake.",
            ("policy",),
            registry=registry,
        )
        self._p_values = FoundHistogram(
            "ecoguard_p_value",
            "Conformal p-value of each screened request's highest score, by policy and class.",
            ("policy", "class"),
            buckets=P_VALUES,
            registry=registry,
        )

    def count(self, verdict: Verdict) -> None:
        """Count the findings of the policies that act."""
        self._count((*verdict.findings, *verdict.passed))

    def count_shadows(self, verdict: Verdict, side: Side) -> None:
        """Count the findings of policies in shadow, once `verdict` holds all policies'."""
        self._comparison.count(verdict)
        shadows = verdict.in_shadow
        self._count((*shadows.findings, *shadows.passed))
        if verdict.would > verdict.action:
            self._shadow_changes.labels(side, verdict.action.label, verdict.would.label).inc()

    def _count(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            if finding.score is not None:
                self._scores.labels(finding.policy).observe(finding.score)
            for name, value in (("benign", finding.p_benign), ("malicious", finding.p_malicious)):
                if value is not None:
                    self._p_values.labels(finding.policy, name).observe(value)
            if finding.unread:
                self._unread.labels(finding.policy).inc(finding.unread)
            if finding.items or finding.failed:
                series = self._shadow_findings if finding.shadow else self._findings
                failed = str(finding.failed).lower()
                series.labels(finding.policy, finding.side, finding.action.label, failed).inc()
