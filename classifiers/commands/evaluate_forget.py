"""`ecoguard-train evaluate forget`: a forget classifier on paraphrases that it has never seen."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from classifiers.commands.options import EncoderFolder

app = typer.Typer()

MOST_SHOWN = 20


@app.command("forget")
def evaluate_forget(
    artifact: Annotated[Path, typer.Argument(help="The forget classifier's artifact.")],
    prompts: Annotated[
        list[Path], typer.Argument(help="Questions that it must find: files, in your own words.")
    ],
    encoder: EncoderFolder,
    retain: Annotated[
        list[Path] | None, typer.Option(help="Files of prompts that it must let pass.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="JSON file to write.")] = None,
) -> None:
    """Measure a forget classifier on your own paraphrases, as it is served; misses come first."""
    from classifiers.evaluation.scored_prompts import score_prompts
    from classifiers.prompts.sources import read_labelled
    from guard.detectors.kinds import load_detector
    from guard.encoders.onnx_encoder import OnnxEncoder

    shared = OnnxEncoder.load(encoder)
    detector = load_detector(artifact, shared)
    asked = [row for file in prompts for row in read_labelled(str(file))]
    kept = [row for file in retain or () for row in read_labelled(str(file))]
    missed = [s for s in score_prompts(detector, shared, asked) if not s.fires]
    alarms = [s for s in score_prompts(detector, shared, kept) if s.fires]
    typer.echo(f"missed: {len(missed)} of {len(asked)}")
    if kept:
        typer.echo(f"false alarms: {len(alarms)} of {len(kept)}")
    for title, found in (("missed", missed), ("false alarm", alarms)):
        for one in sorted(found, key=lambda scored: scored.score)[:MOST_SHOWN]:
            shown = orjson.dumps(one.prompt.text[:200]).decode()
            typer.echo(f"  {title}  {one.score:.4f}  {shown}")
    if report:
        figures = {
            "missed": len(missed),
            "asked": len(asked),
            "false_alarms": len(alarms),
            "kept": len(kept),
            "threshold": detector.threshold,
        }
        report.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
