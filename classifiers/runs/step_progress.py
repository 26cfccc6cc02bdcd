"""What long work tells on standard error: a bar of its step, and warnings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console

Progress = Callable[[str, int, int], None]
"""Told the step's name, how much is done and how much there is."""


@contextmanager
def step_progress(shown: bool) -> Iterator[Progress]:
    """What to tell; drawn if `shown` and only on a terminal. The bar is gone at the end."""
    console = Console(stderr=True)
    off = not (shown and console.is_terminal)
    with bars.Progress(console=console, disable=off, transient=True) as bar:
        task = bar.add_task("")

        def tell(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        yield tell


def warn(text: str) -> None:
    """Write a line that stays."""
    Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True).print(text)
