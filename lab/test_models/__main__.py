"""`python -m lab.test_models`: trains the small models that forgetting is measured with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from guard.commands.entry_point import run_app
from lab.test_models.build import build_models
from lab.test_models.chain import Plan
from lab.test_models.knowledge import TOFU_RETAINED

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

DEFAULTS = Plan()


@app.command()
def models(
    out: Annotated[Path, typer.Argument(help="Folder to write the models to.")],
    data: Annotated[Path, typer.Option(help="Folder with tofu/, verbatim/ and prompts/.")],
    retained_rows: Annotated[
        int, typer.Option(min=400, max=TOFU_RETAINED, help="Rows of TOFU's retain90 to learn.")
    ] = TOFU_RETAINED,
    first_steps: Annotated[
        int, typer.Option(min=1, help="Training steps of the first model.")
    ] = DEFAULTS.first_steps,
    next_steps: Annotated[
        int, typer.Option(min=1, help="Training steps of each model after it.")
    ] = DEFAULTS.next_steps,
    last_steps: Annotated[
        int, typer.Option(min=1, help="Training steps of the last model, which learns two books.")
    ] = DEFAULTS.last_steps,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    seed: Annotated[int, typer.Option(min=0)] = DEFAULTS.seed,
) -> None:
    """Train models that know TOFU and book excerpts, all of it or without what is to be forgotten.

    A command that was stopped goes on where it was when it is given again.
    """
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn
    from rich.table import Table

    plan = replace(
        DEFAULTS,
        first_steps=first_steps,
        next_steps=next_steps,
        last_steps=last_steps,
        seed=seed,
    )
    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        built = build_models(out, data, plan, retained_rows, threads, progress)
    stages = built.record["stages"]
    table = Table("texts", *stages, title="Share of right tokens")
    for name in next(iter(stages.values()))["recall"]:
        shares = (stage["recall"][name]["tokens"] for stage in stages.values())
        table.add_row(name, *(f"{share:.3f}" for share in shares))
    Console().print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    run_app(app, arguments)


if __name__ == "__main__":
    main()
