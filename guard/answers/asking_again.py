"""The question behind an answer that must not be given: what of it is corrupted, to ask again."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.terms.errors import ScreeningError, UpstreamError
from guard.terms.item import AUTHORS, Call
from guard.terms.rendering import RenderingSource
from guard.terms.verdict import Action, Finding, Verdict
from guard.upstream.client import UpstreamReply

AskAgain = Callable[[], AbstractAsyncContextManager[UpstreamReply]]
"""Asks the model server again, with the question corrupted."""

MOST_QUESTION = 600
"""Characters of a question that are judged with each passage of its answer: the last ones."""


async def related(
    call: Call,
    policies: Sequence[Policy],
    screener: Screener,
    owner: str,
    rendering: RenderingSource | None = None,
) -> Verdict:
    """The verdict that corrupts all that a request says of what its answer must not tell: what the
    detectors of the policies that replace find in it, and what was asked last, for that led there.

    Raises ScreeningError where a detector cannot judge.
    """
    asking = [_of_prompts(policy) for policy in policies if replaces(policy)]
    screening = await screener.begin(call.items, asking, owner, counts=False, rendering=rendering)
    found = screening.verdict
    if found.failure:
        raise ScreeningError(found.failure)
    return Verdict((*found.findings, corrupting(asking[0], _asked_last(call))))


def replaces(policy: Policy) -> bool:
    """Whether a policy that acts replaces answers."""
    return policy.action is Action.REPLACE and not policy.shadow


def corrupting(policy: Policy, items: tuple[int, ...]) -> Finding:
    """The finding that corrupts items of a request because of what their answer told."""
    return Finding(
        policy=policy.name,
        detector=policy.detector_name,
        action=Action.CORRUPT,
        score=None,
        threshold=policy.threshold,
        items=items,
    )


@asynccontextmanager
async def answered(again: AskAgain) -> AsyncIterator[UpstreamReply]:
    """The answer to the corrupted question; UpstreamError where there is none."""
    async with again() as reply:
        if reply.status != 200:
            raise UpstreamError("The model server failed")
        yield reply


def asked_last(call: Call) -> str:
    """The words of the user's last message, or of the prompt to be completed."""
    items = [call.items[index].text for index in _asked_last(call)]
    return "\n".join(items)[-MOST_QUESTION:]


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
