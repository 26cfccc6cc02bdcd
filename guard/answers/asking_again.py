"""The question behind an answer that must not be given: what of it is corrupted, to ask again."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.terms.errors import ScreeningError, UpstreamError
from guard.terms.item import AUTHORS, Call
from guard.terms.verdict import Action, Finding, Verdict
from guard.upstream.client import UpstreamReply

AskAgain = Callable[[], AbstractAsyncContextManager[UpstreamReply]]
"""Asks the model server again, with the question corrupted."""


async def related(
    call: Call, policies: Sequence[Policy], screener: Screener, owner: str
) -> Verdict:
    """The verdict that corrupts all that a request says of what its answer must not tell: what the
    detectors of the policies that replace find in it, and what was asked last, for that led there.

    Raises ScreeningError where a detector cannot judge.
    """
    asking = [_of_prompts(policy) for policy in policies if policy.action is Action.REPLACE]
    found = (await screener.begin(call.items, asking, owner, counts=False)).verdict
    if found.failure:
        raise ScreeningError(found.failure)
    first = asking[0]
    last = Finding(
        policy=first.name,
        detector=first.detector_name,
        action=Action.CORRUPT,
        score=None,
        threshold=first.threshold,
        items=_asked_last(call),
    )
    return Verdict((*found.findings, last))


@asynccontextmanager
async def answered(again: AskAgain) -> AsyncIterator[UpstreamReply]:
    """The answer to the corrupted question; UpstreamError where there is none."""
    async with again() as reply:
        if reply.status != 200:
            raise UpstreamError("The model server failed")
        yield reply


def _of_prompts(policy: Policy) -> Policy:
    everybody = frozenset(AUTHORS)
    changed = {"action": Action.CORRUPT, "on_error": Action.BLOCK, "authors": everybody}
    return replace(policy, side="prompt", **changed)  # type: ignore[arg-type]


def _asked_last(call: Call) -> tuple[int, ...]:
    """The items of the user's last message, or of all prompts to be completed."""
    said = [item.path[:2] for item in call.items if item.corruptible and item.author == "user"]
    last = said[-1:] if call.upstream_path.endswith("chat/completions") else said
    return tuple(
        i for i, item in enumerate(call.items) if item.corruptible and item.path[:2] in last
    )
