"""What screening decides: findings, the action they add up to, and the spans they name."""

from dataclasses import dataclass
from enum import IntEnum


class Action(IntEnum):
    """What happens to a request; the order is severity."""

    ALLOW = 0
    FLAG = 1
    CORRUPT = 2
    BLOCK = 3

    @property
    def label(self) -> str:
        """The word used in configuration, metrics and audit rows."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One policy's judgement of one request.

    `score` is the highest score over the request's texts (None when the detector failed);
    `spans` are the indices, into the call's spans, of the texts at or above `threshold`.
    """

    policy: str
    detector: str
    action: Action
    score: float | None
    threshold: float
    spans: tuple[int, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings of a request that fired or failed, in policy order."""

    findings: tuple[Finding, ...] = ()

    @property
    def action(self) -> Action:
        """The most severe action asked for."""
        return max((finding.action for finding in self.findings), default=Action.ALLOW)

    @property
    def cause(self) -> Finding | None:
        """The first finding that asked for the verdict's action."""
        return next((f for f in self.findings if f.action is self.action), None)

    def spans(self, action: Action) -> tuple[int, ...]:
        """Indices of the spans for which `action` was asked, ascending."""
        return tuple(sorted({i for f in self.findings if f.action is action for i in f.spans}))
