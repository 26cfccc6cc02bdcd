"""What of a long flagged text is corrupted: the sentences about whom it names, where that is all.

What would be spared is screened once more without them, beside everything else that is not
flagged: if any of it would be flagged by itself, its text is corrupted as a whole. So leaving a
sentence alone gives away nothing that asking for it alone would not.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from guard.detectors.about import LEAST, about, without
from guard.screening.budget.spending import Spending
from guard.screening.policy import Policy
from guard.screening.screener import Screener, Screening
from guard.terms.detector import Detector
from guard.terms.item import Item
from guard.terms.rendering import RenderingSource
from guard.terms.verdict import Action, CharRange, Verdict

Passages = Mapping[int, tuple[CharRange, ...]]
"""By item index, the characters to be corrupted; items that it lacks are corrupted as a whole."""


async def begin(
    screener: Screener,
    items: Sequence[Item],
    policies: Sequence[Policy],
    owner: str,
    *,
    counts: bool = True,
    rendering: RenderingSource | None = None,
    spending: Spending | None = None,
) -> Screening:
    """As the screener's own `begin`; a verdict that corrupts says which passages of long texts."""
    screening = await screener.begin(
        items, policies, owner, counts=counts, rendering=rendering, spending=spending
    )
    verdict = screening.verdict
    if verdict.action is not Action.CORRUPT:
        return screening
    passages = await _passages(screener, items, policies, owner, verdict)
    return replace(screening, verdict=replace(verdict, passages=passages))


async def _passages(
    screener: Screener,
    items: Sequence[Item],
    policies: Sequence[Policy],
    owner: str,
    verdict: Verdict,
) -> Passages:
    flagged = verdict.items(Action.CORRUPT)
    if not any(len(items[index].text) >= LEAST for index in flagged):
        return {}
    found = await asyncio.to_thread(_found, verdict, items, policies)
    left = {
        index: replace(item, content=without(item.text, found[index])) if index in found else item
        for index, item in enumerate(items)
        if index in found or index not in flagged
    }
    if not found:
        return {}
    again = [policy for policy in policies if _corrupts(policy)]
    rest = (await screener.begin(tuple(left.values()), again, owner, counts=False)).verdict
    if rest.has_failures:
        return {}
    places = tuple(left)
    fired = {places[place] for finding in rest.findings for place in finding.items}
    return {index: ranges for index, ranges in found.items() if index not in fired}


def _found(verdict: Verdict, items: Sequence[Item], policies: Sequence[Policy]) -> Passages:
    """The sentences about whom the policies' detectors know by name."""
    detectors = {policy.name: policy.detector for policy in policies}
    asking: dict[int, list[str]] = {}
    for finding in verdict.asking(Action.CORRUPT):
        for index in finding.items:
            asking.setdefault(index, []).append(finding.policy)
    found = {}
    for index, names in asking.items():
        known = [detectors[name] for name in names if name in detectors]
        if not items[index].corruptible or len(known) < len(names):
            continue
        if ranges := about(items[index].text, partial(_is_named, known)):
            found[index] = ranges
    return found


def _is_named(detectors: Sequence[Detector], text: str) -> bool:
    return any(detector.names_in(text) for detector in detectors)


def _corrupts(policy: Policy) -> bool:
    return policy.action is Action.CORRUPT and not policy.shadow
