"""`python -m tests.fuzz --requests 50000`: the long run, with a progress bar and a summary."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.fuzz.driver import Report, run

MOST_SHOWN = 20


def main(
    requests: Annotated[int, typer.Option(help="How many requests to send.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same requests.")] = 0,
) -> None:
    """Fuzz the proxy in process; the exit status is 1 when something was wrong."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder, Progress(console=console) as progress:
        task = progress.add_task("fuzzing", total=requests)
        started = perf_counter()
        report = asyncio.run(run(requests, seed, Path(folder), lambda: progress.advance(task)))
    seconds = perf_counter() - started
    console.print(f"{requests} requests in {seconds:.0f} s, {requests / seconds:.0f} a second")
    console.print(
        f"{report.upstream} went upstream, {report.corrupted} of them corrupted; "
        f"{report.left} clients left early"
    )
    console.print(_table("status", report.statuses), _table("error code", report.codes))
    _show_faults(console, report)
    raise typer.Exit(1 if report.faults else 0)


def _table(title: str, counts: Counter[int] | Counter[str]) -> Table:
    table = Table(title, "answers")
    for name, count in counts.most_common():
        table.add_row(str(name or "none"), str(count))
    return table


def _show_faults(console: Console, report: Report) -> None:
    kinds = Counter(fault for _, fault in report.faults)
    console.print(f"{len(report.faults)} faults of {len(kinds)} kinds", style="bold")
    for kind, count in kinds.most_common(MOST_SHOWN):
        request = min(
            (request for request, fault in report.faults if fault == kind),
            key=lambda request: len(request.raw),
        )
        console.print(f"{count} x {kind}", style="red", markup=False)
        console.print(
            f"  {request.configuration} {request.route} {request.raw[:600]!r}", markup=False
        )


if __name__ == "__main__":
    typer.run(main)
