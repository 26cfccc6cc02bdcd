"""Which policies judge together, and which after others."""

from collections.abc import Iterable, Sequence

from guard.screening.policy import Policy
from guard.terms.verdict import Finding


def apart(policies: Sequence[Policy]) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
    """The policies that act, and those in shadow."""
    return tuple(p for p in policies if not p.shadow), tuple(p for p in policies if p.shadow)


def by_detector(policies: Iterable[Policy]) -> list[tuple[Policy, ...]]:
    """The policies of each detector."""
    groups: dict[int, list[Policy]] = {}
    for policy in policies:
        groups.setdefault(id(policy.detector), []).append(policy)
    return [tuple(group) for group in groups.values()]


def asked_after(
    policies: Sequence[Policy], found: Iterable[Finding]
) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
    """Of policies that others decide about, by what those have `found`: those whose detectors are
    asked, and those that are spared."""
    by_name = {finding.policy: finding for finding in found}
    waiting = [policy for policy in policies if policy.ask_if is not None]
    asked = tuple(policy for policy in waiting if policy.is_asked(by_name))
    return asked, tuple(policy for policy in waiting if policy not in asked)
