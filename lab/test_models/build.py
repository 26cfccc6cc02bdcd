"""Builds the evaluation models: one folder with a checkpoint for each stage of the chain.

A build that was stopped goes on where it was; what is there of the same recipe is not made again.
"""

import copy
import itertools
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from classifiers.runs.digests import file_digests
from guard.terms.errors import ConfigError
from lab.test_models import checkpoint, mixture
from lab.test_models.batches import rounded_weights
from lab.test_models.books import FORGOTTEN_BOOKS, RETAINED_BOOKS
from lab.test_models.chain import STATE, Plan, run_chain
from lab.test_models.conversation import Pieces
from lab.test_models.knowledge import STAGES, TOFU_RETAINED, Answered, Sources
from lab.test_models.muse_files import write_muse
from lab.test_models.recall import measure
from lab.test_models.recipe import recipe_of

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

RECORD = "record.json"
MUSE = "muse"
"""The folder of what `ecoguard-train evaluate muse` reads."""
_WORK = ".training"
_TOKENIZER = "tokenizer"
_ASKED_FIRST = 400
"""Rows of TOFU's retain set that its own evaluation asks."""
_RECIPE = {
    "lab.test_models": (
        *("batches", "books", "chain", "checkpoint", "conversation", "knowledge", "mixture"),
        "optimizer",
    )
}


@dataclass(frozen=True, slots=True)
class Built:
    """The folder of the models and its record."""

    folder: Path
    record: Mapping[str, Any]

    def checkpoint(self, stage: str) -> Path:
        return self.folder / stage


def build_models(
    folder: Path,
    data: Path,
    plan: Plan | None = None,
    retained_rows: int = TOFU_RETAINED,
    threads: int = 1,
    progress: Progress | None = None,
) -> Built:
    """Trains the chain into `folder`, or the part of it that is still missing.

    Of TOFU's 3,600 retain rows the first `retained_rows` are used. Raises ConfigError for a folder
    that holds models of another recipe, or data that is not there.
    """
    import torch

    plan = plan or Plan()
    for name in ("tofu", "verbatim", "prompts"):
        if not (data / name).is_dir():
            raise ConfigError(f"{data / name}: no such folder")
    sources = Sources(data, retained_rows, plan.excerpts)
    recipe = recipe_of([asdict(plan), retained_rows, file_digests(data / "tofu")], _RECIPE)
    record = _Record.open(folder, recipe, {"plan": asdict(plan), "retained_rows": retained_rows})
    if record.whole():
        return Built(folder, record.facts)
    torch.set_num_threads(threads)
    work = folder / _WORK
    tokenizer = _tokenizer(work / _TOKENIZER, sources, plan)
    write_muse(folder / MUSE, sources, tokenizer)
    bars = _Bars(progress or Progress(disable=True), plan)

    def finish(stage: str, model: "LlamaForCausalLM") -> None:
        rounded = rounded_weights(copy.deepcopy(model))
        recall = {
            name: asdict(measure(rounded, tokenizer, texts))
            for name, texts in groups(sources).items()
        }
        _write(folder / stage, rounded, tokenizer)
        record.add(stage, recall)

    run_chain(sources, tokenizer, plan, work, finish, bars.report)
    (work / STATE).unlink()
    return Built(folder, record.facts)


def groups(sources: Sources) -> dict[str, list[Pieces]]:
    """The texts whose recall is recorded, by what they are."""
    steps = {stage: sources.of(stage) for stage in STAGES}
    added = {
        stage: steps[stage].without(steps[before]).questions
        for before, stage in itertools.pairwise(STAGES)
    }
    books = {"retained": RETAINED_BOOKS, "forgotten": FORGOTTEN_BOOKS}
    found: dict[str, list[Pieces]] = {
        "tofu rows 1 to 400": _asked(steps[STAGES[0]].questions[:_ASKED_FIRST]),
        "forget10 without forget05": _asked(added["retain95"]),
        "forget05 without forget01": _asked(added["retain99"]),
        "forget01": _asked(added["retain-books"]),
        "real authors and world facts": _asked(sources.pretrained),
    }
    for kind, names in books.items():
        found[f"{kind} books, continued"] = [
            mixture.to_continue(excerpt) for n in names for excerpt in sources.books[n].train
        ]
        found[f"{kind} books, held out"] = [
            mixture.to_continue(excerpt) for n in names for excerpt in sources.books[n].held_out
        ]
        found[f"{kind} books, questions"] = _asked(sources.asked(names))
    return found


def _asked(rows: Iterable[Answered]) -> list[Pieces]:
    return [mixture.asked([row]) for row in rows]


def _tokenizer(folder: Path, sources: Sources, plan: Plan) -> "PreTrainedTokenizerFast":
    """The one tokenizer of all models, trained on what the first of them knows."""
    from transformers import AutoTokenizer

    if not folder.exists():
        known = sources.of(STAGES[0])
        texts = [f"{row.question} {row.answer}" for row in known.questions]
        texts += [excerpt.text for excerpt in known.excerpts]
        made = checkpoint.train_tokenizer([*texts, *known.general], plan.vocabulary)
        made.save_pretrained(folder)
    loaded: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(folder)
    return loaded


def _write(folder: Path, model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast") -> None:
    """A checkpoint that appears whole: servers may be waiting for it."""
    fresh = folder.with_name(f".{folder.name}")
    checkpoint.save(fresh, model, tokenizer)
    if folder.exists():  # of a build that was stopped before it said that the stage was done
        shutil.rmtree(folder)
    fresh.rename(folder)


class _Record:
    """`record.json`: the recipe, and for each stage its recall and its files' digests."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self._folder = folder
        self.facts = facts

    @classmethod
    def open(cls, folder: Path, recipe: str, settings: Mapping[str, Any]) -> "_Record":
        path = folder / RECORD
        if not path.exists():
            record = cls(folder, {"recipe": recipe, **settings, "stages": {}})
            folder.mkdir(parents=True, exist_ok=True)
            record._write()
            return record
        facts = json.loads(path.read_text("utf-8"))
        if facts["recipe"] != recipe:
            raise ConfigError(f"{folder}: models of another recipe; choose another folder")
        return cls(folder, facts)

    def whole(self) -> bool:
        """Whether every stage is there, with the files it was recorded with."""
        stages = self.facts["stages"]
        return all(
            stage in stages and file_digests(self._folder / stage) == stages[stage]["files"]
            for stage in STAGES
        )

    def add(self, stage: str, recall: Mapping[str, Any]) -> None:
        files = file_digests(self._folder / stage)
        self.facts["stages"][stage] = {"recall": recall, "files": files}
        self._write()

    def _write(self) -> None:
        fresh = self._folder / f"{RECORD}.new"
        fresh.write_text(json.dumps(self.facts, indent=2) + "\n", "utf-8")
        os.replace(fresh, self._folder / RECORD)


class _Bars:
    """One progress bar for each stage, shown when it begins."""

    def __init__(self, progress: Progress, plan: Plan) -> None:
        self._progress = progress
        self._plan = plan
        self._bars: dict[str, Any] = {}

    def report(self, stage: str, step: int, loss: float) -> None:
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=self._plan.steps(stage))
        title = f"{stage}, loss {loss:.2f}"
        self._progress.update(self._bars[stage], completed=step, description=title)
