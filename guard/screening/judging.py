"""Policies over a reading, one finding each: no threads and no event loop, the caller waits."""

import logging
from collections.abc import Sequence
from functools import partial
from time import time_ns

import numpy as np

from guard.screening.policy import Policy
from guard.screening.reading import Reading
from guard.screening.wanted import WantedError
from guard.screening.workers.turn import OWN_TIME, Turn
from guard.terms.errors import DetectorError, Failure, OverBudgetError
from guard.terms.verdict import Finding

logger = logging.getLogger(__name__)

Judged = tuple[Sequence[Policy], Sequence[Finding]]
"""Policies and the finding of each."""


def judge(policies: Sequence[Policy], reading: Reading) -> tuple[Finding, ...]:
    """One finding per policy, in order; detectors that give the encoder's features read first.

    Raises WantedError where a detector waits for scores that are not there yet.
    """
    order = sorted(policies, key=lambda policy: not reading.gives_features(policy.detector))
    found = {id(policy): _finding(policy, reading) for policy in order}
    return tuple(found[id(policy)] for policy in policies)


def judge_in_turn(policies: Sequence[Policy], reading: Reading, turn: Turn) -> tuple[Finding, ...]:
    """As `judge`, in threads that are shared: AbandonedError when nobody waits any more."""
    reading.turn = turn
    try:
        return judge(policies, reading)
    finally:
        reading.turn = OWN_TIME  # else a ring: the turn holds the work, and the work the reading


def remembered(policies: Sequence[Policy], reading: Reading) -> tuple[Finding, ...] | None:
    """The findings on a request that all the policies have judged before, else None."""
    findings = []
    for policy in policies:
        asked = policy.detector, policy.threshold, policy.authors
        scores = reading.known_scores(*asked)
        if scores is None:
            return None
        findings.append(policy.judge(scores.tolist(), 0, partial(reading.subjects, *asked)))
    return tuple(findings)


def failures(policies: Sequence[Policy], failure: Failure) -> tuple[Finding, ...]:
    """The findings of policies that could not judge, all for one reason."""
    if policies:
        logger.error("screening: %s", failure)
    return tuple(policy.failed(failure) for policy in policies)


def failed(policy: Policy, error: Exception) -> Finding:
    """The finding of a policy whose detector raised.

    A detector is a plug-in: whatever it raises, the policy's on_error decides. The error's text
    could quote a prompt: only its type is logged, and the cause that it names.
    """
    said = error.cause if isinstance(error, DetectorError) else type(error).__name__
    logger.error("detector of policy %s failed: %s", policy.name, said)
    return policy.failed("failed")


def in_order(policies: Sequence[Policy], *judged: Judged) -> tuple[Finding, ...]:
    """Findings of one request in the order of `policies`, each of which has one."""
    found = {
        id(policy): finding
        for some, findings in judged
        for policy, finding in zip(some, findings, strict=True)
    }
    return tuple(found[id(policy)] for policy in policies)


def _finding(policy: Policy, reading: Reading) -> Finding:
    began = time_ns()
    try:
        if policy.detector.members:
            return _joint_finding(policy, reading, began)
        asked = policy.detector, policy.threshold, policy.authors
        scores = reading.item_scores(*asked, passes_unread=policy.passes_unread).tolist()
        unread = reading.unread(policy.detector)
        return policy.judge(scores, began, partial(reading.subjects, *asked), unread)
    except WantedError:
        raise
    except OverBudgetError as error:
        return policy.failed("over_budget", error.tokens)
    except Exception as error:
        return failed(policy, error)


def _joint_finding(policy: Policy, reading: Reading, began: int) -> Finding:
    """The finding by a detector that is made of others: each reads the request as it would alone.

    Raises as `Reading.item_scores`.
    """
    detector = policy.detector
    own = [
        reading.item_scores(
            member, member.threshold, policy.authors, passes_unread=policy.passes_unread
        )
        for member in detector.members
    ]
    unread = max(reading.unread(member) for member in detector.members)
    return policy.judge(detector.join(np.stack(own)).tolist(), began, unread=unread)
