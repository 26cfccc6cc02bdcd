"""How far each lever carries the fine-tuned detector, on some of the folds of leave_sources_out.

python -m lab.detection.levers --data DIR --folds DIR --out DIR [--lever NAME ...] [--fold N ...]

DIR of `--folds` is that of `lab.detection.leave_sources_out`: its logits are the row "recipe",
its token states are used again. Every lever is one run of the recipe with one change; the recipe
averages the weights of several ("soup"), "ensemble" their logits. Logits are kept in `--out`, so
levers may run one by one, and again; `levers.json` has the figures of all that are there. Nothing
is chosen here on held-out sources.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
import typer
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.encoder.source import default_source
from classifiers.malicious.fine_tuning.examples import Mixture
from classifiers.malicious.fine_tuning.optimisation import Optimisation
from classifiers.malicious.fine_tuning.training import FineTuning
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.cross_validation import Fitted, HeldOutGroups
from lab.detection.leave_sources_out import (
    GROUPS,
    all_figures,
    collect,
    fold_file,
    fold_of,
    measured_prompts,
    read_sets,
    score_fold,
    show,
)

GroupsOf = Callable[[FineTuning], HeldOutGroups]
FOLDS = (3, 4)
"""Those that hold requests, injections and other languages: the families with missed targets."""
SHIPPED, PLAIN, ENSEMBLE = "recipe", "one run", "ensemble of the soup's runs"
FIRST = FineTuning().optimisation.seed
SEEDS = {f"seed {seed}": seed for seed in range(FIRST, FIRST + FineTuning().soup)}
"""The runs of which the recipe's soup is made, by their names as levers."""
ONE = FineTuning(soup=1, optimisation=Optimisation(seed=0))
"""Every lever is a change to this one run: three runs of each would take three times as long."""


def change_run(**changes: Any) -> FineTuning:
    """The one run, optimised otherwise."""
    return replace(ONE, optimisation=replace(ONE.optimisation, **changes))


RECIPES: Mapping[str, FineTuning] = {
    PLAIN: ONE,
    "two epochs": change_run(epochs=2),
    "contrastive loss": change_run(contrast=0.2),
    "two passes agree": change_run(consistency=1.0),
    "worst groups weigh more": change_run(worst_group=0.02),
    "no pairwise loss": change_run(ranking=0.0),
    "no sentences learned": replace(ONE, mixture=Mixture(sentences=0)),
    "windows of one class weigh alike": replace(ONE, source_balance=0.0),
    "sources weigh alike": replace(ONE, source_balance=1.0),
    "longer padding learned": replace(
        change_run(max_tokens=240), mixture=Mixture(padding=900, characters=800)
    ),
    "twice the compositions": replace(ONE, mixture=Mixture(composed=5600)),
    "no compositions": replace(ONE, mixture=Mixture(composed=0)),
    "no twins": replace(ONE, mixture=Mixture(twins=0)),
    "no own languages": replace(ONE, mixture=Mixture(languages=False)),
    "whole windows alone": replace(ONE, segment=0),
    "four layers tuned": replace(ONE, frozen_layers=2),
    **{name: change_run(seed=seed) for name, seed in SEEDS.items()},
}


@dataclass(frozen=True, slots=True)
class Measured:
    """The prompts that are measured, where the padded forms of attacks stand among them, the fold
    of each, (n,), and where logits lie."""

    prompts: Sequence[LabelledPrompt]
    padded: Mapping[int, Sequence[int]]
    folds: NDArray[np.int_]
    out: Path

    def folder(self, lever: str) -> Path:
        """Of a lever's logits."""
        return self.out / lever.replace(" ", "-")

    def has(self, lever: str, number: int) -> bool:
        """Whether the lever's logits in one fold are there."""
        return fold_file(self.folder(lever), number).exists()

    def score(self, groups: HeldOutGroups, fitted: Fitted, lever: str, number: int) -> None:
        """Keep the logits of the fold's prompts."""
        score_fold(groups, fitted, self.folds, number, self.folder(lever))

    def figures(self, folder: Path, numbers: Sequence[int]) -> dict[str, JsonValue]:
        """Of the prompts of these folds."""
        return all_figures(self.prompts, self._logits(folder, numbers), self.padded)

    def ensemble(self, numbers: Sequence[int]) -> dict[str, JsonValue]:
        """Of the mean of the seeds' logits."""
        each = [self._logits(self.folder(seed), numbers) for seed in SEEDS]
        return all_figures(self.prompts, np.mean(each, axis=0), self.padded)

    def _logits(self, folder: Path, numbers: Sequence[int]) -> NDArray[np.float32]:
        return collect(folder, self.prompts, self.folds, FineTuning(), numbers)


def run_lever(groups_of: GroupsOf, measured: Measured, lever: str, number: int) -> None:
    """Fit and score one lever in one fold."""
    recipe = RECIPES[lever]
    # Examples and states are the same for all that are only optimised otherwise.
    groups = groups_of(replace(recipe, optimisation=ONE.optimisation))
    fitted = groups.fit(GROUPS[number], f"{lever}, fold {number}", recipe)
    measured.score(groups, fitted, lever, number)


def compare(measured: Measured, folds: Path, numbers: Sequence[int]) -> dict[str, JsonValue]:
    """Figures of the recipe and of every lever whose logits are there for all of these folds."""
    found: dict[str, JsonValue] = {SHIPPED: measured.figures(folds, numbers)}
    for lever in RECIPES:
        if all(measured.has(lever, number) for number in numbers):
            found[lever] = measured.figures(measured.folder(lever), numbers)
    if set(SEEDS) <= found.keys():
        found[ENSEMBLE] = measured.ensemble(numbers)
    return found


def main(
    data: Annotated[Path, typer.Option(help="Folder of prompt sets.")],
    folds: Annotated[Path, typer.Option(help="What leave_sources_out wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for logits and levers.json.")],
    lever: Annotated[list[str] | None, typer.Option(help="Levers to run (default: all).")] = None,
    fold: Annotated[list[int] | None, typer.Option(help="Folds (default: 3 and 4).")] = None,
) -> None:
    """Score prompts by models trained with each lever, and write the figures."""
    numbers = fold or list(FOLDS)
    wrong = sorted(set(lever or ()) - set(RECIPES))
    if wrong:
        raise typer.BadParameter(f"no lever {wrong[0]!r} (known: {', '.join(RECIPES)})")
    prompts = read_sets(data)
    rows, padded = measured_prompts(prompts)
    measured = Measured(rows, padded, np.array([fold_of(prompt) for prompt in rows]), out)

    @lru_cache(maxsize=1)
    def groups_of(recipe: FineTuning) -> HeldOutGroups:
        return HeldOutGroups(prompts, rows, recipe, default_source(), folds, show)

    for name in lever or RECIPES:
        for number in numbers:
            if not measured.has(name, number):
                run_lever(groups_of, measured, name, number)
    out.mkdir(parents=True, exist_ok=True)
    found = compare(measured, folds, numbers)
    (out / "levers.json").write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    typer.run(main)
