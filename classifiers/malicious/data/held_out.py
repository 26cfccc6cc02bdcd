"""Which prompts nothing is learned from: by client for thresholds, by source for measuring.

A threshold's guarantee needs prompts that are exchangeable with those to come, so they are drawn at
random, clients whole; attacks of one source resemble each other, so what measures is of others.
"""

from collections import Counter
from collections.abc import Sequence

from classifiers.prompts.files import position
from classifiers.prompts.labelled import Label, LabelledPrompt

Prompts = tuple[LabelledPrompt, ...]


def split_by_client(
    prompts: Sequence[LabelledPrompt], share: float, salt: str
) -> tuple[Prompts, Prompts]:
    """About `share` of the prompts, and the rest; a client's prompts stay together, as they are
    not independent of each other. A hash decides, so a prompt keeps its part when others join."""
    first = {
        prompt
        for prompt in prompts
        if position(prompt.client or prompt.text, f"calibration {salt}") < share
    }
    return tuple(p for p in prompts if p in first), tuple(p for p in prompts if p not in first)


def split_by_source(
    prompts: Sequence[LabelledPrompt], share: float, salt: str
) -> tuple[Prompts, Prompts]:
    """Prompts that choose, and about `share` of them that measure, no source in both.

    Where one of the two would lack a label that both could have, that label is split by row.
    """
    test = _sources_of_share(prompts, share, salt)
    chosen = {prompt for prompt in prompts if prompt.source in test}
    labels: tuple[Label, ...] = ("malicious", "benign")
    for label in labels:
        rows = [prompt for prompt in prompts if prompt.label == label]
        if len(rows) > 1 and not 0 < len(chosen.intersection(rows)) < len(rows):
            ranked = sorted(rows, key=lambda prompt: position(prompt.text, f"test {salt}"))
            chosen -= set(rows)
            chosen |= set(ranked[: max(1, round(share * len(rows)))])
    return tuple(p for p in prompts if p not in chosen), tuple(p for p in prompts if p in chosen)


def _sources_of_share(prompts: Sequence[LabelledPrompt], share: float, salt: str) -> set[str]:
    """Sources that hold about `share` of the rows of each label; the largest are placed first."""
    rows = Counter((prompt.source, prompt.label) for prompt in prompts)
    totals = Counter(prompt.label for prompt in prompts)
    taken: Counter[str] = Counter()
    chosen: set[str] = set()
    sources = sorted(
        {p.source for p in prompts}, key=lambda s: (-_size(rows, s), position(s, salt))
    )
    for source in sources:
        label = max(totals, key=lambda label: rows[source, label])
        if taken[label] + rows[source, label] / 2 <= share * totals[label]:
            chosen.add(source)
            taken.update({other: rows[source, other] for other in totals})
    return chosen


def _size(rows: Counter[tuple[str, Label]], source: str) -> int:
    return sum(count for (name, _), count in rows.items() if name == source)
