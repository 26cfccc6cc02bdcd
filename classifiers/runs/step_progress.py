"""What long work tells on standard error: a bar of its step, or lines, and warnings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich import progress as bars
from rich.console import Console

Progress = Callable[[str, int, int], None]
"""Told the step's name, how much is done and how much there is."""

EVERY_S = 30.0


class ProgressLines:
    """A line when a step begins, and while it goes on one every `EVERY_S` seconds: for logs."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] = monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._step: str | None = None
        self._next = 0.0

    def tell(self, step: str, done: int, total: int) -> None:
        """As `Progress`."""
        now = self._clock()
        if step == self._step and now < self._next:
            return
        self._step, self._next = step, now + EVERY_S
        self._write(f"{step}: {done} of {total}")


@contextmanager
def step_progress(shown: bool, *, lines: bool = False) -> Iterator[Progress]:
    """What to tell if `shown`: a bar on a terminal, which is gone at the end; elsewhere `lines`."""
    console = Console(stderr=True)
    if lines and shown and not console.is_terminal:
        yield ProgressLines(warn).tell
        return
    with bars.Progress(
        console=console, disable=not (shown and console.is_terminal), transient=True
    ) as bar:
        task = bar.add_task("")

        def tell(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total)

        yield tell


def warn(text: str) -> None:
    """Write a line that stays."""
    Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True).print(text)
