"""What screening decides: findings, the action they add up to, and the items they name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from guard.terms.errors import Failure
from guard.terms.item import Side

# What stands behind the `@` in the names of a canary's policy and detector.
CANARY = "canary"

CharRange = tuple[int, int]
"""Characters of a text, from and up to; both count Unicode code points."""


class Action(IntEnum):
    """What happens to a request or its answer; the order is severity.

    Prompts are corrupted; answers are redacted, or replaced by the answer to the corrupted prompt.
    """

    ALLOW = 0
    FLAG = 1
    REDACT = 2
    CORRUPT = 3
    REPLACE = 4
    BLOCK = 5

    @property
    def label(self) -> str:
        """The word used in configuration, metrics and audit rows."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One policy's judgement of one side of a request.

    `score` is the highest score over the request's texts (None when the policy could not judge:
    `failure` says why; or was spared by `ask_if`);
    `items` are the indices, into the call's items, of the texts at or above `threshold`. The
    p-values say how unusual the score is among benign and among malicious prompts (None where
    the detector has no such calibration). A `shadow` finding's action is only what its policy
    would ask for. `subjects` are the forget requests that fired, for the operator's eyes.
    """

    policy: str
    detector: str
    action: Action
    score: float | None
    threshold: float
    items: tuple[int, ...] = ()
    failure: Failure | None = None
    p_benign: float | None = None
    p_malicious: float | None = None
    shadow: bool = False
    subjects: tuple[str, ...] = ()
    side: Side = "prompt"
    unread: int = 0
    """About how many tokens were left unread, for the budget's sake."""
    priced: int = 0
    """Where the budget was too small: about how many tokens there were at least to read."""
    # When the policy began and ended, nanoseconds since 1970; 0 where it did not run.
    began_ns: int = field(default=0, compare=False)
    ended_ns: int = field(default=0, compare=False)

    @property
    def failed(self) -> bool:
        """Whether the policy could not judge."""
        return self.failure is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings on one side of a request, in policy order: those that fired or failed, and
    those that `passed`.

    Shadow findings are among them, but neither action nor cause nor items heed them.
    """

    findings: tuple[Finding, ...] = ()
    passed: tuple[Finding, ...] = ()
    passages: Mapping[int, tuple[CharRange, ...]] = field(default_factory=dict, hash=False)
    """By item index, what of long texts is corrupted; of items that
    it lacks it is all."""

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Verdict":
        """The verdict that all policies' findings make."""
        every = tuple(findings)
        fired = tuple(finding for finding in every if finding.items or finding.failed)
        passed = tuple(finding for finding in every if not (finding.items or finding.failed))
        return cls(fired, passed)

    @property
    def in_shadow(self) -> "Verdict":
        """What the policies in shadow say, alone."""
        return Verdict(
            tuple(finding for finding in self.findings if finding.shadow),
            tuple(finding for finding in self.passed if finding.shadow),
        )

    @property
    def action(self) -> Action:
        """The most severe action asked for."""
        if not self.findings:
            return Action.ALLOW
        return max((finding.action for finding in self._acting), default=Action.ALLOW)

    @property
    def would(self) -> Action:
        """The most severe action if shadow policies acted too."""
        return max((finding.action for finding in self.findings), default=Action.ALLOW)

    @property
    def cause(self) -> Finding | None:
        """The first finding that asked for the verdict's action; one that fired before one that
        failed."""
        asking = self.asking(self.action)
        return next((f for f in asking if not f.failed), asking[0] if asking else None)

    @property
    def failure(self) -> Failure | None:
        """Why nothing is passed on though nothing that was found asks for that; else None."""
        if self.action is not Action.BLOCK or self.cause is None:
            return None
        return self.cause.failure

    @property
    def label(self) -> str:
        """The action's word for records; a request that only a failure holds back has no verdict
        of its own."""
        return "unjudged" if self.failure else self.action.label

    @property
    def has_failures(self) -> bool:
        """Whether some policy that is not in shadow could not judge the request."""
        return any(finding.failed for finding in self._acting)

    def items(self, action: Action) -> tuple[int, ...]:
        """Indices of the items for which `action` was asked, ascending."""
        return tuple(sorted({i for finding in self.asking(action) for i in finding.items}))

    def asking(self, action: Action) -> tuple[Finding, ...]:
        """The findings that ask for `action`, in policy order."""
        return tuple(finding for finding in self._acting if finding.action is action)

    @property
    def _acting(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.shadow)
