"""`ecoguard-train evaluate muse`: MUSE's six criteria through the proxy and beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands import evaluation_options as shared
from classifiers.evaluation.asking import Asked
from classifiers.evaluation.guarded_path import GuardedPath
from classifiers.evaluation.guarded_run import Place, Run, opened
from classifiers.evaluation.muse import figures
from classifiers.evaluation.muse.data import read_muse
from classifiers.evaluation.muse.evaluation import (
    ANSWER_TOKENS,
    Evaluation,
    Measured,
    Speakers,
    StageMeasured,
    guarded,
    plain,
)
from classifiers.evaluation.muse.folds import Stage, guarded_by, train_stages
from classifiers.evaluation.muse.report import HTML, write_report
from classifiers.evaluation.muse.rows import write_rows
from classifiers.runs.step_progress import step_progress
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.errors import ConfigError

app = typer.Typer()

CONTINUED_TOKENS = 128
FOLDS = 4
LOGS, REQUESTS = "logs", "requests"


@app.command()
def muse(
    config: shared.Config,
    data: Annotated[Path, typer.Option(help="Folder with MUSE's passages and questions.")],
    out: shared.ReportFolder,
    policy: Annotated[
        str | None,
        typer.Option(help="Policy whose action the requests over folds get; none: no folds."),
    ] = None,
    folds: Annotated[
        int, typer.Option(min=2, max=16, help="Parts that requests are made over.")
    ] = FOLDS,
    retain: shared.Retain = None,
    proxy: shared.Proxy = None,
    proxy_key_env: shared.ProxyKey = None,
    retain_key_env: shared.RetainKey = None,
    model: shared.ModelName = None,
    rows: Annotated[int, typer.Option(min=0, help="The most rows of a set; 0: all.")] = 0,
    connections: shared.Connections = 8,
) -> None:
    """Measure MUSE's criteria: memorised text and knowledge, privacy, utility, growing requests."""
    read = read_muse(data, rows)
    place = Place(*(config, out, model, proxy, proxy_key_env, retain, retain_key_env, connections))
    described = {"command": "muse", "data": read.digest}
    with opened(place, described, CONTINUED_TOKENS) as run, step_progress(True) as report:
        encoder = _encoder(run) if policy else None
        evaluation = Evaluation(read, run.settings.refusal.text, report)
        ways = _ways(run, evaluation)
        stages = []
        if policy and encoder:
            made = train_stages(read, folds, encoder, out / REQUESTS)
            stages = _stages(run, evaluation, made, policy, folds)
        corruption = run.corruption
    settings: figures.Figures = {
        "model": run.model,
        "corruption": f"{corruption.kind} {corruption.dims} {corruption.strength:g}",
        "folds": folds if policy else None,
        "rows at most": rows,
    }
    for name, measured in ways.items():
        write_rows(out / LOGS / f"{name.replace(' ', '-')}.jsonl", measured.rows, measured.min_k)
    write_report(out, settings, figures.figures(ways, stages, folds), ways)
    typer.echo(str(out / HTML))


def _ways(run: Run, evaluation: Evaluation) -> dict[str, Measured]:
    """Direct and as served are scored; through the proxy nobody can ask for a prompt's scores."""
    direct, served = _speakers(run.direct), guarded(run.path, run.corruption)
    found = {
        figures.DIRECT: evaluation.measure(figures.DIRECT, direct, plain, scored=True),
        figures.SERVED: evaluation.measure(figures.SERVED, direct, served, scored=True),
        figures.PROXY: evaluation.measure(figures.PROXY, _speakers(run.proxy), plain, scored=False),
    }
    if run.retain is not None:
        retain = _speakers(run.retain)
        found[figures.RETAIN] = evaluation.measure(figures.RETAIN, retain, plain, scored=True)
    return found


def _encoder(run: Run) -> OnnxEncoder:
    if run.settings.encoder is None:
        raise ConfigError("encoder: requests over folds are trained on it, and there is none")
    return OnnxEncoder.load(run.settings.encoder.path)


def _stages(
    run: Run, evaluation: Evaluation, made: Sequence[Stage], policy: str, folds: int
) -> list[StageMeasured]:
    """Growing and successive requests, by the guard's code in this process."""
    found = []
    for stage in made:
        path = GuardedPath.open(guarded_by(run.settings, stage, policy), run.model)
        way = guarded(path, run.corruption)
        found.append(evaluation.measure_stage(_speakers(run.direct), way, stage, folds))
    return found


def _speakers(model: Asked) -> Speakers:
    return Speakers(model, model.limited(ANSWER_TOKENS))
