"""`ecoguard-train attack`: attacks a running proxy and prints what got through."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from classifiers.evaluation.red_team.figures import Family
    from classifiers.evaluation.red_team.target import Result, Target

app = typer.Typer()


@app.command()
def attack(
    url: Annotated[str, typer.Option(help="Root of the proxy.")] = "http://127.0.0.1:8080",
    key_env: Annotated[
        str | None, typer.Option(help="The variable with the proxy's API key, if it wants one.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The model, where the proxy serves several.")
    ] = None,
    check: Annotated[
        bool, typer.Option(help="Ask /v1/guard/check (a key of scope `check`), and no model.")
    ] = False,
    family: Annotated[
        list[str] | None, typer.Option(help="Only these families; all if none is named.")
    ] = None,
    forget: Annotated[
        list[str] | None, typer.Option(help="A name that is to be forgotten, to ask about.")
    ] = None,
    fact: Annotated[
        list[str] | None, typer.Option(help="What no answer about these names may tell.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Plain prompts of each family.")] = 20,
    disguised: Annotated[
        int, typer.Option(min=0, help="Plain prompts that are stopped, to be tried disguised.")
    ] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Decides which prompts are made.")] = 0,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")] = 4,
    fail_over: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Exit status 1 where a larger share of a family passes."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="JSON file to write; a page beside it ends in .html.")
    ] = None,
) -> None:
    """Attack a running proxy with prompts of our own making; print what got through, by family.

    Prompts that are stopped as they are come again disguised, padded, split and in other fields.
    For proxies of your own: what it sends is malicious, and a model may answer it.
    """
    from classifiers.evaluation.red_team.attacks import DIRECT, EVASIONS
    from classifiers.evaluation.red_team.target import Target, find_model
    from classifiers.model_server.http_client import HttpClient

    chosen = _families(family or [], (*DIRECT, *EVASIONS))
    if forget and not (check or fact):
        raise ConfigError("--forget: give --check, or with --fact what answers must not tell")
    with HttpClient(url, _headers(key_env), connections=connections, retries=3) as client:
        named = model if check and model else find_model(client, model)
        target = Target(client, named, check, (), connections)
        results = _attacked(target, chosen, (count, disguised, seed), forget or [], fact or [])
    _conclude(results, fail_over, report, {"url": url, "model": named, "seed": seed})


def _families(named: Sequence[str], known: Sequence[str]) -> list[str]:
    unknown = [name for name in named if name not in known]
    if unknown:
        raise ConfigError(f"--family {unknown[0]}: expected one of {', '.join(known)}")
    return list(named or known)


def _headers(variable: str | None) -> dict[str, str]:
    if variable is None:
        return {}
    key = os.environ.get(variable)
    if not key:
        raise ConfigError(f"--key-env: the environment variable {variable} is not set")
    return {"authorization": f"Bearer {key}"}


def _attacked(
    target: "Target",
    families: Sequence[str],
    sizes: tuple[int, int, int],
    names: Sequence[str],
    facts: Sequence[str],
) -> "list[Result]":
    """All results. Evasions need plain prompts that are stopped: those of all families, or of the
    chosen ones."""
    from dataclasses import replace
    from itertools import count as counting

    from classifiers.evaluation.red_team import attacks
    from classifiers.evaluation.red_team.target import require_answers
    from classifiers.runs.step_progress import step_progress

    count, disguised, seed = sizes
    plain = [name for name in attacks.DIRECT if name in families] or list(attacks.DIRECT)
    prompts = attacks.direct_prompts(plain, count, seed)
    with step_progress(True, lines=True) as tell:

        def sent(at: "Target", made: Sequence[attacks.Attack], label: str) -> "list[Result]":
            done = counting(1)
            return at.attack(made, lambda: tell(label, next(done), len(made)))

        direct = sent(target, attacks.direct(prompts), "plain")
        require_answers(direct)
        texts = [
            prompt.text
            for prompt, result in zip(prompts, direct, strict=True)
            if result.outcome == "stopped" and not result.attack.harmless
        ]
        evading = [
            one
            for name in attacks.EVASIONS
            if name in families
            for one in attacks.evasions(name, _spread(texts, disguised))
        ]
        results = direct + sent(target, evading, "disguised")
        asked = attacks.forget_attacks(names)
        return results + sent(replace(target, facts=facts), asked, "forgotten")


def _spread(texts: Sequence[str], count: int) -> list[str]:
    """So many of the texts, from all of the list: neighbours are of one family."""
    step = max(1, len(texts) // count) if count else 1
    return list(texts[::step][:count])


def _conclude(
    results: "Sequence[Result]", most: float | None, report: Path | None, settings: dict[str, Any]
) -> None:
    from rich.console import Console
    from rich.table import Table

    from classifiers.evaluation.red_team import figures
    from classifiers.evaluation.red_team.attacks import EVASIONS

    families = figures.summarise(results)
    said = figures.verdict(families, most)
    steps = figures.advice(families, any(one.name in EVASIONS for one in families))
    console = Console(highlight=False, markup=False, soft_wrap=True)
    table = Table(*figures.HEADER, box=None)
    for row in figures.rows(families):
        table.add_row(*row)
    console.print(table)
    for line in (said, *steps):
        console.print(line)
    if report:
        _write(report, families, said, steps, settings)
    if figures.too_many(families, most):
        raise typer.Exit(1)


def _write(
    report: Path,
    families: "Sequence[Family]",
    said: str,
    steps: Sequence[str],
    settings: dict[str, Any],
) -> None:
    from classifiers.evaluation.red_team import figures

    found = figures.described(families, settings, said)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    figures.page(families, said, steps).write(report.with_suffix(".html"))
