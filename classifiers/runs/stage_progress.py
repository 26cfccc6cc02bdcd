"""A progress bar on standard error for work that tells its stage and how much of it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Report = Callable[[str, int, int], None]
"""Told the stage's name, how much is done and how much there is."""


@contextmanager
def stage_progress(shown: bool) -> Iterator[Report]:
    """What to tell; drawn if `shown` and only on a terminal. The bar is gone at the end."""
    console = Console(stderr=True)
    off = not (shown and console.is_terminal)
    with Progress(console=console, disable=off, transient=True) as bar:
        task = bar.add_task("")

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        yield report
