"""`ecoguard-train forget`: trains the classifiers of forget requests."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from classifiers.commands.options import EncoderFolder, show
from classifiers.forget.batch import Batch, Outcome, jobs_of
from classifiers.forget.proposed_aliases import proposed_aliases
from classifiers.forget.report_page import advice, verdict
from classifiers.forget.request import read_forget_prompts, read_request, read_retain_prompts
from classifiers.forget.training import ForgetRecipe
from classifiers.runs.step_progress import step_progress
from guard.artifacts.manifest import REPORT
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.errors import ConfigError

app = typer.Typer()

DEFAULTS = ForgetRecipe()


class Method(StrEnum):
    """How a threshold is chosen."""

    SIMPLE = "simple"
    CONFORMAL = "conformal"


@app.command()
def forget(
    requests: Annotated[
        list[Path], typer.Argument(help="Folders with request.yaml and forget.jsonl.")
    ],
    encoder: EncoderFolder,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write the artifact of one request to.")
    ] = None,
    out_root: Annotated[
        Path | None, typer.Option(help="Folder to write an artifact folder for each request to.")
    ] = None,
    retain: Annotated[
        list[Path] | None,
        typer.Option(help="More retain prompts (.jsonl, .csv, .txt), shared by all requests."),
    ] = None,
    threshold: Annotated[Method, typer.Option(help="How thresholds are chosen.")] = (Method.SIMPLE),
    fpr: Annotated[
        float,
        typer.Option(
            min=0.00001, max=0.5, help="False positives that all requests may have together."
        ),
    ] = DEFAULTS.fpr,
    set_size: Annotated[
        int, typer.Option(min=1, help="Requests that share --fpr.")
    ] = DEFAULTS.requests,
    fnr: Annotated[
        float,
        typer.Option(min=0.00001, max=0.5, help="Forget prompts that the head may miss."),
    ] = DEFAULTS.fnr,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Of the bound on false positives.")
    ] = DEFAULTS.confidence,
    alpha: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="Error level of conformal thresholds.")
    ] = DEFAULTS.alpha,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the rewritings.")] = DEFAULTS.seed,
    cache: Annotated[Path | None, typer.Option(help="Folder to keep features in.")] = None,
) -> None:
    """Train the classifiers of forget requests."""
    jobs = _jobs(requests, out, out_root)
    recipe = ForgetRecipe(
        threshold=threshold.value,
        fpr=fpr,
        requests=max(set_size, len(jobs)),
        fnr=fnr,
        confidence=confidence,
        alpha=alpha,
        seed=seed,
    )
    batch = Batch(OnnxEncoder.load(encoder), recipe, tuple(retain or ()), cache, len(jobs) == 1)
    with step_progress(len(jobs) > 1) as report:
        outcomes = batch.train(jobs, lambda done: report("requests", done, len(jobs)))
    _conclude(outcomes, tuple(retain or ()), one=out is not None)


def _conclude(outcomes: Sequence[Outcome], shared: tuple[Path, ...], *, one: bool) -> None:
    """Tell what became of the requests; exit status 1 where one of them failed."""
    if one:
        _show_one(outcomes[0])
    else:
        _show_all(outcomes)
    for outcome in outcomes:
        if outcome.state == "trained":
            _propose_aliases(outcome.folder, shared)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def _jobs(
    requests: Sequence[Path], out: Path | None, out_root: Path | None
) -> list[tuple[Path, Path]]:
    if (out is None) == (out_root is None):
        raise ConfigError("--out (one request) or --out-root (any number): give one of them")
    if out_root is not None:
        return jobs_of(requests, out_root)
    if out is None or len(requests) > 1:
        raise ConfigError("--out is for one request; --out-root takes several")
    return [(requests[0], out)]


def _show_one(outcome: Outcome) -> None:
    if outcome.artifact is None:
        raise ConfigError(outcome.problem)
    show(outcome.artifact)
    report = orjson.loads(outcome.artifact.bytes_of(REPORT))
    for line in (verdict(report), *advice(report)):
        typer.echo(line)


def _propose_aliases(folder: Path, shared: tuple[Path, ...]) -> None:
    """Tell the titles that a request's questions put in quotes and that are no alias of it."""
    forget, retain = read_forget_prompts(folder), read_retain_prompts(folder, shared)
    found = proposed_aliases(
        [prompt.text for prompt in forget],
        [prompt.text for prompt in retain],
        read_request(folder).evidence,
    )
    if found:
        titles = ", ".join(f"{title} ({count})" for title, count in found)
        typer.echo(
            f"{folder}: in quotes in its questions, and no alias: {titles}; review, then add"
        )


def _show_all(outcomes: Sequence[Outcome]) -> None:
    """A line for each request; problems in full behind the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="forget requests", title_justify="left")
    for heading in ("request", "state", "fnr", "fnr disguised", "fpr", "known missed", "digest"):
        table.add_column(heading)
    for outcome in outcomes:
        manifest = outcome.artifact.manifest if outcome.artifact else None
        found = manifest.metrics if manifest else {}
        figures = [
            f"{found[name]:.4g}" if name in found else "–"
            for name in ("fnr", "fnr_disguised", "fpr", "known_missed")
        ]
        digest = manifest.digest[:16] if manifest else "–"
        table.add_row(outcome.folder.name, outcome.state, *figures, digest)
    Console().print(table)
    errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for outcome in outcomes:
        if outcome.problem:
            errors.print(outcome.problem)
