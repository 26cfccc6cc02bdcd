"""The demo's tables, for a person to read."""

from collections.abc import Sequence

from rich.table import Table

from lab.demo.attacks import FAMILIES, FamilySummary, Screened
from lab.demo.comparison import Compared, GroupSummary
from lab.demo.questions import Group

TITLES: dict[Group, str] = {
    "forget": "forgotten people",
    "retain": "known people",
    "general": "general questions",
}


def summary_table(summaries: Sequence[GroupSummary]) -> Table:
    """Rates by group: leaks and ROUGE-L recall of the three, and what the guard changed."""
    table = Table(title="Gold entity in the answer, and ROUGE-L recall against the gold answer")
    table.add_column("questions about")
    for heading in ("n", "direct", "EcoGuard", "never learned"):
        table.add_column(heading, justify="right")
    table.add_column("identical to direct", justify="right")
    table.add_column("added latency", justify="right")
    for item in summaries:
        table.add_row(
            TITLES[item.group],
            str(item.questions),
            f"{item.leak_direct:.0%} / {item.rouge_direct:.2f}",
            f"{item.leak_guarded:.0%} / {item.rouge_guarded:.2f}",
            f"{item.leak_twin:.0%} / {item.rouge_twin:.2f}",
            f"{item.identical:.0%}",
            f"{item.added_latency * 1000:+.1f} ms",
        )
    return table


def example_table(compared: Sequence[Compared], per_group: int) -> Table:
    """Some questions with their three answers."""
    table = Table(title="Some of the answers", show_lines=True)
    for heading in ("question", "vLLM directly", "through EcoGuard", "model that never learned"):
        table.add_column(heading, ratio=1)
    for group in TITLES:
        for item in [item for item in compared if item.row.group == group][:per_group]:
            table.add_row(item.row.question, item.direct.text, item.guarded.text, item.twin.text)
    return table


def blocking_table(summaries: Sequence[FamilySummary]) -> Table:
    """By family, malicious prompts that were blocked, and harmless ones of their form."""
    table = Table(title="Blocked by the shipped detector, of kinds it never learned from")
    table.add_column("prompts")
    for heading in ("malicious", "harmless, of the same form"):
        table.add_column(heading, justify="right")
    for item in summaries:
        table.add_row(
            item.title,
            f"{item.blocked} of {item.malicious}",
            f"{item.blocked_harmless} of {item.harmless}",
        )
    return table


def prompt_table(screened: Sequence[Screened], per_family: int) -> Table:
    """Some prompts, and what became of them."""
    table = Table(title="Some of the prompts", show_lines=True)
    table.add_column("prompt", ratio=4)
    for heading in ("is", "was"):
        table.add_column(heading, ratio=1)
    for source in FAMILIES:
        for item in [item for item in screened if item.row.source == source][: 2 * per_family]:
            harm = "malicious" if item.row.label == "malicious" else "harmless"
            table.add_row(item.row.text, harm, "blocked" if item.blocked else "answered")
    return table
