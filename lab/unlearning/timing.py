"""Can a corrupted answer be told by its time? `python -m lab.unlearning.timing --help`.

Forgotten and kept questions are asked in turn, streamed and all of one length, of the proxy and of
the model server without it. An AUC is the probability that the answer to a forgotten question takes
longer than that to a kept one: .5 tells nobody anything. The server without a guard is the control:
questions differ in length, whoever asks them.
"""

import itertools
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Literal, get_args

import httpx2
import numpy as np
import typer
from numpy.typing import NDArray

from classifiers.evaluation.extraction.targets import read_pairs
from classifiers.statistics.detection_metrics import auroc, cluster_bootstrap

CHAT = "/v1/chat/completions"
KINDS = ("forgotten", "kept")
Part = Literal["first", "whole"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds until the first event of an answer, and until its end."""

    first: float
    whole: float


ByQuestion = Mapping[str, Sequence[Timed]]
Times = defaultdict[tuple[str, str], defaultdict[str, list[Timed]]]


def main(
    proxy: Annotated[str, typer.Option(help="Root of the proxy.")],
    direct: Annotated[str, typer.Option(help="Root of its model server.")],
    model: Annotated[str, typer.Option(help="The model's name.")],
    forgotten: Annotated[Path, typer.Option(help="Questions that are corrupted (JSON Lines).")],
    kept: Annotated[Path, typer.Option(help="Questions that are not.")],
    rows: Annotated[int, typer.Option(min=2, help="Questions of each kind.")] = 40,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is asked.")] = 5,
    tokens: Annotated[int, typer.Option(min=1, help="Length of every answer.")] = 16,
) -> None:
    """Print times and AUCs as JSON."""
    questions = [[pair.question for pair in read_pairs(file)[:rows]] for file in (forgotten, kept)]
    roots = {"proxy": proxy, "direct": direct}
    found: Times = defaultdict(lambda: defaultdict(list))
    with httpx2.Client(timeout=120) as client:
        for at in range(rounds + 1):
            for pair in zip(*questions, strict=False):
                for (kind, text), who in itertools.product(zip(KINDS, pair, strict=True), roots):
                    body = _asking(model, text, tokens)
                    timed = _timed(client, roots[who] + CHAT, body)
                    if at:  # the first round fills caches
                        found[who, kind][text].append(timed)
    forgot, kept_one = KINDS
    shown = {
        who: {part: figures(found[who, forgot], found[who, kept_one], part) for part in PARTS}
        for who in roots
    }
    typer.echo(json.dumps(shown, indent=2))


def figures(forgotten: ByQuestion, kept: ByQuestion, part: Part) -> dict[str, list[float]]:
    """The 5th, 50th and 95th percentile of each kind in milliseconds; the AUC with the 95 %
    interval of a bootstrap over questions."""
    both = [_seconds(times, part) for times in (forgotten, kept)]
    pooled = [np.concatenate(list(times.values())) for times in both]
    spread = [(np.percentile(times, [5, 50, 95]) * 1000).round(1).tolist() for times in pooled]
    auc = [auroc(*pooled), *cluster_bootstrap(auroc, *both)]
    named = {f"{kind} ms, p5 p50 p95": found for kind, found in zip(KINDS, spread, strict=True)}
    return {**named, "auc, low, high": [round(value, 3) for value in auc]}


def _asking(model: str, text: str, tokens: int) -> Mapping[str, object]:
    messages = [{"role": "user", "content": text}]
    length = {"max_tokens": tokens, "min_tokens": tokens, "ignore_eos": True}
    return {"model": model, "messages": messages, "temperature": 0, "stream": True, **length}


def _timed(client: httpx2.Client, url: str, body: Mapping[str, object]) -> Timed:
    started = perf_counter()
    first = 0.0
    with client.stream("POST", url, json=body) as response:
        response.raise_for_status()
        for _ in response.iter_raw():
            first = first or perf_counter() - started
    return Timed(first, perf_counter() - started)


def _seconds(times: ByQuestion, part: Part) -> dict[str, NDArray[np.float64]]:
    return {text: np.array([getattr(one, part) for one in found]) for text, found in times.items()}


if __name__ == "__main__":
    typer.run(main)
