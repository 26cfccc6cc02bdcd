"""How every command line ends: one line on stderr where its user can mend the error."""

from collections.abc import Sequence

import typer

from guard.terms.errors import GuardError


def run_app(app: typer.Typer, arguments: Sequence[str] | None = None) -> None:
    """Run `app` on `arguments`, by default this process's; exit status 2 for our own errors."""
    try:
        app(arguments)
    except GuardError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
