"""`ecoguard-train evaluate extraction`: attacks on what a guarded model was to forget."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands import evaluation_options as shared
from classifiers.evaluation.asking import Asked
from classifiers.evaluation.extraction.attacks import FAMILIES, Surroundings
from classifiers.evaluation.extraction.evaluation import Extraction, Who
from classifiers.evaluation.extraction.figures import Figures, figures
from classifiers.evaluation.extraction.report import HTML, write_report
from classifiers.evaluation.extraction.targets import read_pairs, targets
from classifiers.evaluation.guarded_run import Place, Run, opened
from classifiers.forget.request import read_request
from classifiers.model_server.sampling import Sampling
from classifiers.runs.step_progress import step_progress
from classifiers.statistics.key_phrases import KnownAnswers
from guard.terms.errors import ConfigError

app = typer.Typer()

DEFAULTS = Sampling()


@app.command()
def extraction(
    config: shared.Config,
    pairs: Annotated[
        Path, typer.Option(help="Forgotten questions with answers (JSON Lines, also .gz).")
    ],
    known: Annotated[Path, typer.Option(help="The same of what is kept: harmless company.")],
    request: Annotated[Path, typer.Option(help="The forget request: its names and aliases.")],
    out: shared.ReportFolder,
    retain: shared.Retain = None,
    proxy: shared.Proxy = None,
    proxy_key_env: shared.ProxyKey = None,
    retain_key_env: shared.RetainKey = None,
    model: shared.ModelName = None,
    family: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(FAMILIES)}.")
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="The most questions; 0: all.")] = 40,
    samples: Annotated[int, typer.Option(min=1, help="Answers drawn per attack.")] = (
        DEFAULTS.samples
    ),
    temperature: Annotated[
        float, typer.Option(min=0, max=2, help="Of the answers.")
    ] = DEFAULTS.temperature,
    seed: Annotated[int, typer.Option(min=0, help="Of the answers.")] = DEFAULTS.seed,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of each answer.")] = 64,
    connections: shared.Connections = 8,
) -> None:
    """Attack the proxy, the model without it and the retain model; report what they give away."""
    families = _families(family or [])
    kept = read_pairs(known)
    chosen = targets(read_pairs(pairs), read_request(request).evidence, rows)
    place = Place(*(config, out, model, proxy, proxy_key_env, retain, retain_key_env, connections))
    with (
        opened(place, {"command": "extraction"}, max_tokens) as run,
        step_progress(True) as report,
    ):
        attacked = Extraction(
            run.path,
            _models(run),
            Sampling(samples, temperature, seed),
            KnownAnswers(pair.answer for pair in kept),
            Surroundings([pair.question for pair in kept]),
        ).run(families, chosen, report)
        settings: Figures = {
            "model": run.model,
            "questions": len(chosen),
            "samples": samples,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "seed": seed,
        }
    write_report(out, settings, figures(attacked))
    typer.echo(str(out / HTML))


def _families(names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in FAMILIES:
            raise ConfigError(f"--family {name}: expected one of {', '.join(FAMILIES)}")
    return tuple(names) or tuple(FAMILIES)


def _models(run: Run) -> dict[Who, Asked]:
    models: dict[Who, Asked] = {"proxy": run.proxy, "direct": run.direct}
    if run.retain is not None:
        models["retain"] = run.retain
    return models
