"""A thousand forget requests: `python -m lab.unlearning.many_requests --help`.

How long training one takes, and what a prompt costs where 1, 100 or 1,000 are in service. Requests
and prompts are about people that the demo's code invents. As many requests as `--trained` says are
trained; the others in service are those again under other names, with weights of their own: what is
asked about them costs the same as if they had been trained.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import orjson
import typer
import yaml

from classifiers.forget.batch import Batch, jobs_of
from classifiers.forget.request import FORGET, REQUEST
from classifiers.forget.training import ForgetRecipe
from classifiers.prompts.strangers import stranger
from guard.artifacts.manifest import REPORT
from guard.detectors.forget.requests import ForgetRequest, RequestSet
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.screening.reading import Reading
from guard.screening.views.view import ViewLimits
from guard.terms.item import Item
from lab.demo.data import generate
from lab.performance.cost import cost_of

SIZES = (1, 100, 1000)
ASKED = 20
"""Forget prompts of a request, or a few more."""
SEED = 1
"""The first of the demo's populations that requests are made of; retain prompts are of seed 0."""


def main(
    encoder: Annotated[Path, typer.Option(help="The encoder's artifact.")],
    out: Annotated[Path, typer.Option(help="Folder for requests, artifacts and figures.")],
    trained: Annotated[int, typer.Option(min=1, help="Requests that are trained.")] = 20,
    prompts: Annotated[int, typer.Option(min=10, help="Prompts that are timed.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is timed.")] = 5,
    retained: Annotated[int, typer.Option(min=20, help="Retain prompts that they share.")] = 600,
) -> None:
    """Train, time and print; figures go to OUT/many_requests.json."""
    reader = OnnxEncoder.load(encoder)
    folders, shared = write_requests(out, trained, retained)
    outcomes = Batch(reader, ForgetRecipe(), (shared,)).train(jobs_of(folders, out / "artifacts"))
    artifacts = [outcome.artifact for outcome in outcomes if outcome.artifact]
    seconds = [orjson.loads(artifact.bytes_of(REPORT))["seconds"] for artifact in artifacts]
    known = [ForgetRequest.from_artifact(artifact) for artifact in artifacts]
    sets, memory = _sets(known, reader)
    figures: dict[str, Any] = {
        "trained": len(artifacts),
        "failed": {o.folder.name: o.problem for o in outcomes if o.state == "failed"},
        "training_s": {"median": float(np.median(seconds)), "highest": max(seconds)},
        "heads": {str(size): len(served.heads) for size, served in sets.items()},
        "memory_mib": memory,
        **_latencies(sets, reader, _harmless(prompts), rounds),
    }
    (out / "many_requests.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    typer.echo(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode())


def write_requests(out: Path, count: int, retained: int) -> tuple[list[Path], Path]:
    """Request folders, one for a person, and the retain prompts that they share.

    People of two populations may have one by-name. What a request asks about its own is left out
    of the retain prompts: a prompt cannot be both.
    """
    folders: list[Path] = []
    forgotten: set[str] = set()
    seed = SEED
    while len(folders) < count:
        data = generate(seed)
        asked: defaultdict[str, list[str]] = defaultdict(list)
        for group in ("forget", "retain"):
            for row in data.select(group, "train"):
                asked[str(row.person)].append(row.question)
        for person, questions in list(asked.items())[: count - len(folders)]:
            folders.append(out / "requests" / f"{len(folders):04d}")
            chosen = questions[:: max(1, len(questions) // ASKED)]
            _write_request(folders[-1], person, chosen)
            forgotten.update(chosen)
        seed += 1
    shared = out / "retain.jsonl"
    kept = generate(0)
    rows = [*kept.select("retain", "train"), *kept.select("general", "train")]
    texts = _some([row.question for row in rows if row.question not in forgotten], retained)
    shared.write_bytes(b"\n".join(orjson.dumps({"text": text}) for text in texts))
    return folders, shared


def _write_request(folder: Path, person: str, questions: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    described = {
        "name": folder.name,
        "reason": "bench",
        "contact": "bench@example.com",
        "names": [person],
    }
    (folder / REQUEST).write_text(yaml.safe_dump(described, allow_unicode=True))
    lines = [orjson.dumps({"text": text}) for text in dict.fromkeys(questions)]
    (folder / FORGET).write_bytes(b"\n".join(lines))


def _sets(
    known: Sequence[ForgetRequest], reader: OnnxEncoder
) -> tuple[dict[int, RequestSet], dict[str, float]]:
    """The sets in service, and how many MiB more the process holds with each."""
    rng = np.random.default_rng(SEED)
    sets: dict[int, RequestSet] = {}
    memory: dict[str, float] = {}
    for size in SIZES:
        before = cost_of(os.getpid()).memory_bytes
        requests = [_another(known[at % len(known)], at, rng) for at in range(size)]
        sets[size] = RequestSet(requests, encoder=reader.digest, width=reader.width)
        memory[str(size)] = round((cost_of(os.getpid()).memory_bytes - before) / (1 << 20), 1)
    return sets, memory


def _another(request: ForgetRequest, number: int, rng: np.random.Generator) -> ForgetRequest:
    """The same request about somebody else."""
    name = f"{stranger((), rng)} {number}"
    weights = request.weights + rng.normal(0, 0.01, request.weights.shape).astype(np.float32)
    last = (name.split()[-2] + "en",) if request.lone_names else ()
    return replace(request, name=name, names=(stranger((), rng),), weights=weights, lone_names=last)


def _harmless(count: int) -> list[str]:
    """Questions about other people, and general ones, of the demo's held-out wordings."""
    data = generate(0)
    rows = [*data.select("retain", "held_out"), *data.select("general", "held_out")]
    return _some([row.question for row in rows], count)


def _some(texts: Sequence[str], count: int) -> list[str]:
    distinct = list(dict.fromkeys(texts))
    order = np.random.default_rng(SEED).permutation(len(distinct))[:count]
    return [distinct[at] for at in order]


def _latencies(
    sets: Mapping[int, RequestSet], reader: OnnxEncoder, prompts: Sequence[str], rounds: int
) -> dict[str, Any]:
    """Milliseconds a prompt takes, encoder and detector, the sets in turn; and their ratios."""
    times: dict[int, list[float]] = {size: [] for size in sets}
    flagged = dict.fromkeys(sets, 0)
    for turn in range(rounds + 1):
        for number, text in enumerate(prompts):
            first = (number + turn) % len(sets)  # whoever comes first meets cold caches
            for size in (*list(sets)[first:], *list(sets)[:first]):
                taken, fired = _judge(sets[size], reader, text)
                if turn:  # the first round warms up
                    times[size].append(taken)
                    flagged[size] += fired
    rows = {size: np.array(taken) for size, taken in times.items()}
    least = rows[min(sets)]
    return {
        "prompt_ms": {
            str(size): {
                "median": round(1000 * float(np.median(taken)), 3),
                "p90": round(1000 * float(np.quantile(taken, 0.9)), 3),
                "median_ratio": round(float(np.median(taken / least)), 3),
            }
            for size, taken in rows.items()
        },
        "flagged": {str(size): fired // rounds for size, fired in flagged.items()},
        "timed_prompts": len(prompts),
    }


def _judge(served: RequestSet, reader: OnnxEncoder, text: str) -> tuple[float, bool]:
    items = [Item(("messages", 0, "content"), "user", text, True)]
    started = perf_counter()
    scores = Reading(items, reader, ViewLimits()).item_scores(served, served.threshold)
    taken = perf_counter() - started
    return taken, bool(scores[0] >= served.threshold)


if __name__ == "__main__":
    typer.run(main)
