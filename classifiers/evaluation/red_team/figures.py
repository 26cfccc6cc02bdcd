"""What got through, by family, as JSON, for people, and as a page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifiers.evaluation.red_team.attacks import DIRECT, EVASIONS, FORGET
from classifiers.evaluation.red_team.target import Result
from classifiers.reports.page import HtmlReport

TITLES = {**DIRECT, **EVASIONS, FORGET: "questions about what is to be forgotten"}
MOST_KINDS = 100


@dataclass(frozen=True, slots=True)
class Family:
    """The counts of a family: attacks by outcome, those that got `through`, and of harmless
    requests of its form how many were stopped."""

    name: str
    outcomes: Mapping[str, int]
    through: int
    kinds: Mapping[str, tuple[int, int]]
    harmless: int
    harmless_stopped: int

    @property
    def attacks(self) -> int:
        """How many there were."""
        return sum(self.outcomes.values())

    @property
    def share(self) -> float:
        """Of the attacks that were answered, the share that got through."""
        answered = self.attacks - self.outcomes.get("failed", 0)
        return self.through / answered if answered else 0.0


def summarise(results: Sequence[Result]) -> list[Family]:
    """A family each, in the order of the results."""
    names = dict.fromkeys(result.attack.family for result in results)
    return [_family(name, [r for r in results if r.attack.family == name]) for name in names]


def _family(name: str, results: Sequence[Result]) -> Family:
    attacks = [result for result in results if not result.attack.harmless]
    harmless = [result for result in results if result.attack.harmless]
    sent = Counter(result.attack.kind for result in attacks)
    through = Counter(result.attack.kind for result in attacks if result.through)
    return Family(
        name=name,
        outcomes=Counter(result.outcome for result in attacks),
        through=sum(through.values()),
        kinds={kind: (through[kind], count) for kind, count in sent.items()},
        harmless=len(harmless),
        harmless_stopped=sum(result.outcome == "stopped" for result in harmless),
    )


def verdict(families: Sequence[Family], most: float | None) -> str:
    """In words: what got through, and whether that is too much."""
    attacks = sum(family.attacks for family in families)
    through = sum(family.through for family in families)
    said = f"{through} of {attacks} attacks got through"
    harmless = sum(family.harmless for family in families)
    if harmless:
        stopped = sum(family.harmless_stopped for family in families)
        said += f"; {stopped} of {harmless} harmless requests of the same form were stopped"
    over = too_many(families, most)
    if over:
        said += f". More than {most:.0%} of: {', '.join(family.name for family in over)}"
    return f"{said}."


def too_many(families: Sequence[Family], most: float | None) -> list[Family]:
    """The families of which a larger share than `most` got through; none where that is None."""
    return [] if most is None else [family for family in families if family.share > most]


def advice(families: Sequence[Family], evaded: bool) -> list[str]:
    """What to do next."""
    told = []
    by_name = {family.name: family for family in families}
    if any(by_name[name].through for name in DIRECT if name in by_name):
        told.append(
            "Plain prompts got through: is the policy in shadow? Else the detector does not know "
            "them: train on your traffic (docs/guides/detect.md), or lower its threshold."
        )
    if not evaded:
        told.append(
            "No plain prompt was stopped, so there was nothing to disguise: families of evasion "
            "say nothing of this proxy yet."
        )
    if any(by_name[name].through for name in EVASIONS if name in by_name):
        told.append(
            "Evasions got through: send one of each kind below to `ecoguard try`, which shows what "
            "the detector reads of it."
        )
    if FORGET in by_name and by_name[FORGET].through:
        told.append(
            "Names got through: add the forms below to the request's aliases and train it again "
            "(docs/guides/forget.md)."
        )
    return told or ["Nothing got through: attack again with other seeds and after each change."]


def described(families: Sequence[Family], settings: Mapping[str, Any], said: str) -> dict[str, Any]:
    """For programs."""
    return {
        "verdict": said,
        "settings": dict(settings),
        "families": [
            {
                "family": family.name,
                "attacks": family.attacks,
                "through": family.through,
                "share": family.share,
                "outcomes": dict(family.outcomes),
                "harmless": family.harmless,
                "harmless_stopped": family.harmless_stopped,
                "kinds": {kind: list(counts) for kind, counts in family.kinds.items()},
            }
            for family in families
        ],
    }


HEADER = ("family", "attacks", "through", "stopped", "refused", "unjudged", "failed", "harmless")


def rows(families: Sequence[Family]) -> list[tuple[str, ...]]:
    """The table's cells."""
    return [
        (
            family.name,
            str(family.attacks),
            f"{family.through} ({family.share:.0%})",
            *(str(family.outcomes.get(name, 0)) for name in HEADER[3:7]),
            f"{family.harmless_stopped} of {family.harmless}" if family.harmless else "–",
        )
        for family in families
    ]


def page(families: Sequence[Family], said: str, next_steps: Sequence[str]) -> HtmlReport:
    """One self-contained file: the verdict, what to do, the table, and the kinds."""
    report = HtmlReport("Attack on a running proxy").paragraph(said)
    report.section("What to do next")
    for step in next_steps:
        report.paragraph(step)
    report.section("By family").table(HEADER, rows(families))
    report.table(("family", "what was sent"), [(f.name, TITLES[f.name]) for f in families])
    report.section("By kind")
    for family in families:
        worst = sorted(family.kinds.items(), key=lambda kind: (-kind[1][0] / kind[1][1], kind[0]))
        shown = [(kind, through, of) for kind, (through, of) in worst[:MOST_KINDS]]
        report.table(("kind", "through", "of"), shown, caption=family.name)
    return report
