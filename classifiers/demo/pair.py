"""Builds the demo's two checkpoints: the full model and the twin that never met the forgotten.

The last step of making the demo; what the folder holds afterwards is what is served and measured.
"""

import hashlib
import importlib.resources
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from rich.progress import Progress

from classifiers.demo import checkpoint, data
from classifiers.demo.corpus import Corpus
from classifiers.demo.training import Schedule, train

Member = Literal["full", "twin"]
MEMBERS: tuple[Member, ...] = ("full", "twin")
RECORD = "checkpoint.json"
_RECIPE = "people questions conversation data corpus checkpoint training".split()


class BuildError(RuntimeError):
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
    if folder.exists() and any(folder.iterdir()) and not (folder / RECORD).exists():
        raise BuildError(f"{folder}: not empty and not a demo; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        fresh = Path(scratch, "pair")
        accuracy = _fill(fresh, seed, schedule, progress or Progress(disable=True))
        _record(fresh, {"recipe": recipe, "seed": seed, "accuracy": accuracy})
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    return Pair(folder, seed, accuracy)


def load(folder: Path, recipe: str | None = None) -> Pair | None:
    """The demo in a folder; None if there is none, or it is damaged or of another recipe."""
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    if recipe not in (None, record["recipe"]):
        return None
    if any(_digest(folder / name) != digest for name, digest in record["files"].items()):
        return None
    return Pair(folder, record["seed"], record["accuracy"])


def recipe_digest(seed: int, schedule: Schedule) -> str:
    """SHA-256 of all that decides the outcome: seed, schedule and the modules that make it."""
    digest = hashlib.sha256(json.dumps([seed, asdict(schedule)]).encode())
    for module in _RECIPE:
        source = importlib.resources.files("classifiers.demo").joinpath(f"{module}.py")
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _fill(
    folder: Path, seed: int, schedule: Schedule, progress: Progress
) -> dict[Member, float]:
    rows = data.generate(seed)
    data.write(folder / "data", rows)
    tokenizer = checkpoint.make_tokenizer(rows, seed)
    for member in MEMBERS:
        tokenizer.save_pretrained(folder / member)
    with _trainers(folder, seed, schedule) as trainers:
        accuracy = _follow(trainers, schedule, progress)
    for member, reached in accuracy.items():
        if reached < schedule.floor:
            raise BuildError(
                f"{member}: {reached:.1%} of known answers after {schedule.longest} steps, "
                f"{schedule.floor:.0%} needed"
            )
    return accuracy


@contextmanager
def _trainers(
    folder: Path, seed: int, schedule: Schedule
) -> Iterator[dict[Connection, tuple[Member, BaseProcess]]]:
    """One process per model, by the connection it reports on; ended whatever happens."""
    context = multiprocessing.get_context("spawn")
    trainers: dict[Connection, tuple[Member, BaseProcess]] = {}
    try:
        for member in MEMBERS:
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(
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
        pending = [c for c, (member, _) in trainers.items() if member not in accuracy]
        for receiver in wait(pending):
            assert isinstance(receiver, Connection)
            member, _ = trainers[receiver]
            try:
                report = receiver.recv()
            except EOFError:
                raise BuildError(f"{member}: its training process ended early") from None
            if isinstance(report, float):
                accuracy[member] = report
            else:
                progress.update(bars[member], completed=report)
    return accuracy


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
    text = json.dumps({**facts, "files": _digests(folder)}, indent=2) + "\n"
    (folder / RECORD).write_text(text, "utf-8")


def _digests(folder: Path) -> dict[str, str | None]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def _digest(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
