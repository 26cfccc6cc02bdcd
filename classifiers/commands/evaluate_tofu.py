"""`ecoguard-train evaluate tofu`: TOFU through the proxy and beside it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands import evaluation_options as shared
from classifiers.corruption.paper_settings import paper_grid
from classifiers.evaluation.guarded_run import Place, Run, opened
from classifiers.evaluation.tofu import ways
from classifiers.evaluation.tofu.data import OFFICIAL_ROWS, Size, TofuData, read_tofu
from classifiers.evaluation.tofu.evaluation import TIMED_ROWS, Evaluation, Measured, Models
from classifiers.evaluation.tofu.figures import Figures, figures
from classifiers.evaluation.tofu.log_files import read_logs, write_logs
from classifiers.evaluation.tofu.report import HTML, write_report
from classifiers.forget.request import read_request
from classifiers.runs.step_progress import step_progress
from guard.terms.errors import ConfigError

app = typer.Typer()

LOGS = "logs"
MOST_TOKENS = 128


class ForgetSize(StrEnum):
    """How much of TOFU is to be forgotten, in percent."""

    ONE = "01"
    FIVE = "05"
    TEN = "10"


SIZES: dict[ForgetSize, Size] = {
    ForgetSize.ONE: "01",
    ForgetSize.FIVE: "05",
    ForgetSize.TEN: "10",
}


@app.command()
def tofu(
    config: shared.Config,
    data: Annotated[Path, typer.Option(help="Folder with TOFU's files.")],
    size: Annotated[ForgetSize, typer.Option(help="Forget set: 01, 05 or 10 percent.")],
    out: shared.ReportFolder,
    retain: shared.Retain = None,
    retain_logs: Annotated[
        Path | None, typer.Option(help="The retain model's eval_log_aggregated.json instead.")
    ] = None,
    proxy: shared.Proxy = None,
    proxy_key_env: shared.ProxyKey = None,
    retain_key_env: shared.RetainKey = None,
    model: shared.ModelName = None,
    corruption: Annotated[
        list[str] | None, typer.Option(help="One more to compare with: KIND:DIMS[:STRENGTH].")
    ] = None,
    paper: Annotated[bool, typer.Option(help="Compare with the paper's settings.")] = True,
    request: Annotated[
        Path | None, typer.Option(help="Forget request whose names the refusal prompt lists.")
    ] = None,
    rows: Annotated[
        int, typer.Option(min=0, help="The most rows of a set; 0: all.")
    ] = OFFICIAL_ROWS,
    answer_rows: Annotated[
        int, typer.Option(min=0, help="Forget rows measured with corrupted answers too.")
    ] = 0,
    timed_rows: Annotated[
        int, typer.Option(min=0, help="Rows of each set asked one at a time, for latencies.")
    ] = TIMED_ROWS,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of each answer.")] = MOST_TOKENS,
    connections: shared.Connections = 8,
) -> None:
    """Measure forgetting and utility on TOFU: proxy, direct, rivals, corruptions side by side."""
    read = read_tofu(data, SIZES[size], rows)
    place = Place(*(config, out, model, proxy, proxy_key_env, retain, retain_key_env, connections))
    reference = read_logs(retain_logs, read) if retain_logs else None
    if retain is None and reference is None:
        raise ConfigError("give the retain model: --retain or --retain-logs")
    names = read_request(request).names if request else ()
    described = {"command": "tofu", "data": read.digest}
    with opened(place, described, max_tokens) as run, step_progress(True) as report:
        gate = ways.Gate(run.path)
        measured = Evaluation(
            read,
            Models(run.direct, run.proxy, run.retain),
            gate,
            _ways(run, gate, corruption or [], paper, names),
            answer_rows,
            timed_rows,
            report,
        ).run(reference)
        settings: Figures = {
            "model": run.model,
            "corruption as served": ways.label(run.corruption),
            "rows at most": rows,
            "max_tokens": max_tokens,
            "embedding width": run.path.width,
        }
    _write(out, settings, read, measured)


def _ways(
    run: Run, gate: ways.Gate, more: list[str], paper: bool, names: tuple[str, ...]
) -> list[ways.Way]:
    others = [ways.parse_corruption(text) for text in more]
    others += paper_grid(run.path.width) if paper else []
    refusal = run.settings.refusal.text
    labelled = {ways.label(found): found for found in others}
    return [
        ways.direct(),
        ways.corrupting(ways.SERVED, gate, run.corruption, refusal),
        *(ways.corrupting(name, gate, found, refusal) for name, found in labelled.items()),
        ways.filter_and_prompt(gate, names),
        ways.filter_and_refusal(gate),
    ]


def _write(out: Path, settings: Figures, read: TofuData, measured: Measured) -> None:
    for name, logs in measured.logs.items():
        write_logs(out / LOGS / _folder(name), read, logs)
    write_report(out, settings, figures(read, measured), measured)
    typer.echo(str(out / HTML))


def _folder(name: str) -> str:
    """A way's name as a folder's."""
    return "".join(letter if letter.isalnum() or letter in "._=" else "-" for letter in name)
