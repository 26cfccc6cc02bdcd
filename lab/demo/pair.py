"""Builds the demo's two checkpoints: the full model and the twin that never met the forgotten.

The last step of making the demo; what the folder holds afterwards is what is served and measured.
"""

import json
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from rich.progress import Progress

from classifiers.runs.digests import file_digest, file_digests
from guard.terms.errors import GuardError
from lab.demo import data
from lab.demo.corpus import Corpus
from lab.demo.tokenizer import make_tokenizer
from lab.demo.training import Schedule, train
from lab.test_models import checkpoint
from lab.test_models.recipe import recipe_of

Member = Literal["full", "twin"]
MEMBERS: tuple[Member, ...] = ("full", "twin")
RECORD = "checkpoint.json"
_PATIENCE = 0.1  # seconds to wait for one model's report before looking at the other's
_RECIPE = {
    "lab.demo": (
        *("people", "questions", "conversation", "data", "corpus", "tokenizer", "training"),
    ),
    "lab.test_models": ("conversation", "checkpoint", "batches", "recall"),
}


class BuildError(GuardError):
    """A demo pair that could not be built, or a folder that is not one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A built demo: two checkpoints, the data files, the accuracy each model reached."""

    folder: Path
    seed: int
    accuracy: dict[Member, float]

    @property
    def full(self) -> Path:
        return self.folder / "full"

    @property
    def twin(self) -> Path:
        return self.folder / "twin"

    @property
    def data(self) -> Path:
        return self.folder / "data"


def build(
    folder: Path,
    seed: int = 0,
    progress: Progress | None = None,
    schedule: Schedule | None = None,
) -> Pair:
    """Makes `folder` the demo of this seed: nothing to do where it is that already.

    The two models train side by side, one thread each. The folder appears whole or not at all.
    Raises BuildError when a model did not learn its people or the folder holds something else.
    """
    schedule = schedule or Schedule()
    recipe = recipe_digest(seed, schedule)
    built = load(folder, recipe)
    if built is not None:
        return built
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        fresh = Path(scratch, "pair")
        accuracy = _fill(fresh, seed, schedule, progress or Progress(disable=True))
        _record(fresh, {"recipe": recipe, "seed": seed, "accuracy": accuracy})
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    return Pair(folder, seed, accuracy)


def _check_replaceable(folder: Path) -> None:
    """Raises BuildError when a folder holds files that no build wrote: they would be lost."""
    if not folder.exists():
        return
    record = _read_record(folder) or {"files": {}}
    written = {folder / name for name in (*record["files"], RECORD)}
    for path in folder.rglob("*"):
        if path.is_file() and path not in written:
            raise BuildError(f"{path}: not part of a demo pair; move it or choose another folder")


def load(folder: Path, recipe: str | None = None) -> Pair | None:
    """The demo in a folder; None if there is none, or it is damaged or of another recipe."""
    record = _read_record(folder)
    if record is None:
        return None
    if recipe not in (None, record["recipe"]):
        return None
    if any(file_digest(folder / name) != digest for name, digest in record["files"].items()):
        return None
    return Pair(folder, record["seed"], record["accuracy"])


def _read_record(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    whole = isinstance(record, dict) and record.keys() >= {"recipe", "seed", "accuracy", "files"}
    return record if whole else None


def recipe_digest(seed: int, schedule: Schedule) -> str:
    """SHA-256 of all that decides the outcome: seed, schedule and the modules that make it."""
    return recipe_of([seed, asdict(schedule)], _RECIPE)


def _fill(folder: Path, seed: int, schedule: Schedule, progress: Progress) -> dict[Member, float]:
    rows = data.generate(seed)
    data.write(folder / "data", rows)
    tokenizer = make_tokenizer(rows, seed)
    for member in MEMBERS:
        tokenizer.save_pretrained(folder / member)
    with _trainers(folder, seed, schedule) as trainers:
        accuracy = _follow(trainers, schedule, progress)
    require_learned(accuracy, schedule)
    return accuracy


def require_learned(accuracy: dict[Member, float], schedule: Schedule) -> None:
    """Raises BuildError for a model whose accuracy is below the schedule's floor."""
    for member, reached in accuracy.items():
        if reached < schedule.floor:
            raise BuildError(
                f"{member}: {reached:.1%} of known answers after {schedule.longest} steps, "
                f"{schedule.floor:.0%} needed"
            )


@contextmanager
def _trainers(
    folder: Path, seed: int, schedule: Schedule
) -> Iterator[dict[Connection, tuple[Member, BaseProcess]]]:
    """One process per model, by the connection it reports on; ended whatever happens."""
    context = multiprocessing.get_context("spawn")  # a fork of a threaded torch process may hang
    trainers: dict[Connection, tuple[Member, BaseProcess]] = {}
    try:
        for member in MEMBERS:
            receiver, sender = context.Pipe(duplex=False)
            process: BaseProcess = context.Process(
                target=train_member, args=(folder, member, seed, schedule, sender), daemon=True
            )
            process.start()
            sender.close()
            trainers[receiver] = (member, process)
        yield trainers
    finally:
        for receiver, (_, process) in trainers.items():
            process.terminate()
            process.join()
            receiver.close()


def _follow(
    trainers: dict[Connection, tuple[Member, BaseProcess]], schedule: Schedule, progress: Progress
) -> dict[Member, float]:
    """Shows the steps as they are reported; returns when both have sent their accuracy."""
    titles = {member: f"Training the {member} model" for member in MEMBERS}
    bars = {m: progress.add_task(title, total=schedule.steps) for m, title in titles.items()}
    accuracy: dict[Member, float] = {}
    while len(accuracy) < len(trainers):
        for receiver, (member, _) in trainers.items():
            if member in accuracy or not receiver.poll(_PATIENCE):
                continue
            report = _receive(receiver, member)
            if isinstance(report, float):
                accuracy[member] = report
            else:
                progress.update(bars[member], completed=report)
    return accuracy


def _receive(receiver: Connection, member: Member) -> int | float:
    """Steps done, or the accuracy at the end; BuildError when the process is gone."""
    try:
        report: int | float = receiver.recv()
    except EOFError:
        raise BuildError(f"{member}: its training process ended early") from None
    return report


def train_member(
    folder: Path, member: Member, seed: int, schedule: Schedule, sender: Connection
) -> None:
    """Trains one model in this process and writes it to `folder/member`, where its tokenizer is.

    Sends the number of steps done as it goes and at last the accuracy. An interrupt is left to the
    parent, which ends this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder / member)
    corpus = Corpus(data.generate(seed), meets_forgotten=member == "full")
    model, accuracy = train(corpus, tokenizer, schedule, seed, sender.send)
    checkpoint.save(folder / member, model, tokenizer)
    sender.send(accuracy)


def _record(folder: Path, facts: dict[str, object]) -> None:
    """Writes the record, last of all files, with every file's digest."""
    text = json.dumps({**facts, "files": file_digests(folder)}, indent=2) + "\n"
    (folder / RECORD).write_text(text, "utf-8")
