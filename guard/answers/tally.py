"""What all looks at an answer add up to: one verdict, as if it had been looked at once."""

from collections.abc import Iterable

from guard.terms.verdict import Finding, Verdict


class Tally:
    """The worst finding of each policy so far, in the order in which they first judged."""

    def __init__(self) -> None:
        self._worst: dict[str, Finding] = {}
        self.seconds = 0.0

    def add(self, verdict: Verdict, seconds: float = 0.0) -> None:
        """Count a look that took `seconds`."""
        self.seconds += seconds
        for finding in (*verdict.findings, *verdict.passed):
            known = self._worst.get(finding.policy)
            if known is None or _weight(finding) > _weight(known):
                self._worst[finding.policy] = finding

    @property
    def verdict(self) -> Verdict:
        """The verdict on all of it; without findings where nobody has looked yet."""
        return Verdict.of(self._worst.values())


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that several make."""
    tally = Tally()
    for verdict in verdicts:
        tally.add(verdict)
    return tally.verdict


def _weight(finding: Finding) -> tuple[bool, bool, float]:
    """One that fired weighs more than a failure: that is known for sure."""
    return bool(finding.items), finding.failed, finding.score or 0.0
