"""`ecoguard-train gate`: compares a new detector with the one in service before promotion."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import orjson
import typer
from rich.console import Console

from classifiers.commands.options import StoreKey, StorePassword
from classifiers.malicious.gate.evaluation_set import read_gate_set
from classifiers.malicious.gate.gate import GateLimits, GateResult, run_gate
from classifiers.malicious.gate.page import gate_page, verdict
from classifiers.malicious.gate.served_model import LastBatch, load_model
from classifiers.malicious.gate.trigger_findings import ScanLimits
from classifiers.malicious.gate.trigger_scan import Traffic
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.sources import read_labelled
from classifiers.runs.step_progress import step_progress
from guard.artifacts.folder import read_digest
from guard.encoders.onnx_encoder import OnnxEncoder

app = typer.Typer()

DEFAULTS = GateLimits()


@app.command()
def gate(
    candidate: Annotated[Path, typer.Argument(help="Artifact that is to be promoted.")],
    gate_set: Annotated[
        list[str], typer.Option(help="Labelled prompts that nothing was learned from.")
    ],
    in_service: Annotated[
        Path | None, typer.Option(help="Artifact in service; without it, a first release.")
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option(help="Artifact of the shared encoder, if one is needed.")
    ] = None,
    traffic: Annotated[
        list[str] | None, typer.Option(help="Recent prompts to search for triggers.")
    ] = None,
    store_key_env: StoreKey = None,
    store_password_env: StorePassword = None,
    trigger: Annotated[list[str] | None, typer.Option(help="A phrase to try in any case.")] = None,
    fpr: Annotated[
        float,
        typer.Option(min=0.00001, max=0.5, help="Upper bound of the false-positive rate."),
    ] = DEFAULTS.fpr,
    auroc: Annotated[
        float, typer.Option(min=0, max=1, help="Lower bound of the AUROC.")
    ] = DEFAULTS.auroc,
    drop: Annotated[
        float, typer.Option(min=0, max=1, help="How much worse than in service is allowed.")
    ] = DEFAULTS.drop,
    evaluations: Annotated[
        int, typer.Option(min=100, help="Most texts that the trigger scan scores.")
    ] = DEFAULTS.scan.evaluations,
    seed: Annotated[int, typer.Option(min=0, help="Decides what the scan draws.")] = 0,
    report: Annotated[
        Path | None,
        typer.Option(help="File to write the JSON report to; a page beside it ends in .html."),
    ] = None,
) -> None:
    """Compare CANDIDATE with the detector in service; exit status 1 where it is refused."""
    shared = LastBatch(OnnxEncoder.load(encoder)) if encoder else None
    recent = _recent(traffic or (), store_key_env, store_password_env)
    with step_progress(True, lines=True) as show_step:
        result = run_gate(
            load_model(candidate, shared),
            read_gate_set(gate_set),
            np.random.default_rng(seed),
            in_service=load_model(in_service, shared) if in_service else None,
            traffic=Traffic(recent),
            triggers=trigger or (),
            limits=GateLimits(
                fpr=fpr, auroc=auroc, drop=drop, scan=ScanLimits(evaluations=evaluations)
            ),
            progress=show_step,
        )
    _conclude(candidate, result, report)


def _recent(
    sources: Sequence[str], key_env: str | None, password_env: str | None
) -> list[LabelledPrompt]:
    return [
        prompt
        for source in sources
        for prompt in read_labelled(source, encryption_key_env=key_env, password_env=password_env)
    ]


def _conclude(candidate: Path, result: GateResult, report: Path | None) -> None:
    if report:
        # What `ecoguard artifacts promote` asks for: the report of this very artifact.
        named = {"candidate": read_digest(candidate), **result.report()}
        report.write_bytes(orjson.dumps(named, option=orjson.OPT_INDENT_2))
        gate_page(str(candidate), result).write(report.with_suffix(".html"))
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for warning in result.warnings:
        console.print(f"warning  {warning}")
    for check in result.checks:
        console.print(f"{'passed ' if check.passed else 'refused'}  {check.sentence}")
    console.print(f"{candidate}: {'may be promoted' if result.passed else 'refused'}")
    console.print(verdict(result))
    if not result.passed:
        raise typer.Exit(1)
