"""Malicious prompts, and harmless ones of the same form, through the proxy: which are blocked?

All are generated, from the half of our generators that no detector learns from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from classifiers.malicious.data.attack_prompts import documents, extract, inject, own_requests, wrap
from classifiers.malicious.data.twins import twins
from classifiers.prompts.labelled import LabelledPrompt

# Longer ones would fill the demo model's context.
MOST_CHARACTERS = 600
FAMILIES = {
    "twins": "plain requests",
    "wrappers": "requests in a frame",
    "injections": "documents with orders",
    "extraction": "requests for the prompt",
}
"""What each family is, by the source of its rows."""


@dataclass(frozen=True, slots=True)
class Screened:
    """A prompt, and whether the proxy refused it as filtered."""

    row: LabelledPrompt
    blocked: bool


@dataclass(frozen=True, slots=True)
class FamilySummary:
    """How many of a family's malicious and harmless prompts there are, and were blocked."""

    title: str
    malicious: int
    blocked: int
    harmless: int
    blocked_harmless: int


def attack_rows(pairs: int, seed: int) -> list[LabelledPrompt]:
    """About `pairs` malicious and as many harmless prompts of every family, in English."""
    english = ("en",)
    harmful, harmless = own_requests("held_out", 4 * pairs, seed, languages=english)
    rows = [
        *twins("held_out", pairs, seed, languages=english),
        *wrap(harmful, harmless, "held_out", pairs, seed),
        *(r for r in inject(documents("held_out", pairs, seed), "held_out", seed) if _paired(r)),
        *extract("held_out", pairs, seed),
    ]
    return [row for row in rows if len(row.text) <= MOST_CHARACTERS]


def _paired(row: LabelledPrompt) -> bool:
    """Whether there is a malicious row of the same kind: documents come a third time, clean."""
    return row.kind != "injection_clean"


async def screen(rows: Sequence[LabelledPrompt], base: str, model: str) -> list[Screened]:
    """Every prompt to the endpoint at `base`; raises aiohttp.ClientError for any other refusal."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as session:
        return [Screened(row, await is_blocked(session, base, model, row.text)) for row in rows]


async def is_blocked(session: aiohttp.ClientSession, base: str, model: str, text: str) -> bool:
    """Whether the answer to a prompt is status 400 with the code `content_filter`."""
    messages = [{"role": "user", "content": text}]
    body = {"model": model, "messages": messages, "max_tokens": 1}
    async with session.post(f"{base}/v1/chat/completions", json=body) as response:
        if response.status == 400:
            error = (await response.json())["error"]
            if error["code"] == "content_filter":
                return True
        response.raise_for_status()
        return False


def summarise(source: str, screened: Sequence[Screened]) -> FamilySummary:
    """The counts of the family whose rows have that source."""
    malicious = [s for s in screened if s.row.source == source and s.row.label == "malicious"]
    harmless = [s for s in screened if s.row.source == source and s.row.label == "benign"]
    return FamilySummary(
        title=FAMILIES[source],
        malicious=len(malicious),
        blocked=sum(item.blocked for item in malicious),
        harmless=len(harmless),
        blocked_harmless=sum(item.blocked for item in harmless),
    )
