"""`ecoguard-train`: the offline commands. They only wire; bad input ends with exit status 2.

Each command has a module in `classifiers.commands`; here they are joined under one name.
"""

from collections.abc import Sequence

import typer
from rich.console import Console

from classifiers.commands import (
    attack,
    calibrate,
    corruption,
    encoder,
    evaluate,
    evaluate_extraction,
    evaluate_forget,
    evaluate_muse,
    evaluate_tofu,
    forget,
    gate,
    import_model,
    malicious,
    pooling_encoder,
    score,
    shipped,
    verbatim,
)
from guard.settings import require_extra
from guard.terms.errors import GuardError, about

app = typer.Typer(
    name="ecoguard-train",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (
    encoder,
    pooling_encoder,
    forget,
    corruption,
    malicious,
    import_model,
    calibrate,
    score,
    gate,
    attack,
    shipped,
    verbatim,
):
    app.add_typer(part.app)
for part in (evaluate_forget, evaluate_tofu, evaluate_extraction, evaluate_muse):
    evaluate.app.add_typer(part.app)
app.add_typer(evaluate.app, name="evaluate")


@app.callback(help="Train EcoGuard's classifiers.")
def require() -> None:
    """Ask for the trainers' packages at once: minutes of work must not end for want of one."""
    with about("ecoguard-train"):
        require_extra("train")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: an error that the operator can mend is one line on standard error.

    `arguments` are those of this process, unless others are given.
    """
    try:
        app(arguments)
    except GuardError as error:
        console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
        console.print(str(error))
        raise SystemExit(2) from None
