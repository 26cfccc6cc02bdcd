"""Learns the corruption of one model for one forget set, and writes it as serving loads it.

Questions -> reference values -> zeroth-order search through a live endpoint -> the winner's spread
over other noise -> artifact. Source: ECO (arXiv 2406.07933, section 3).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Self

from pydantic import JsonValue

from classifiers.corruption.corrupted_chat import ChatCorruptor
from classifiers.corruption.learned_page import learned_page
from classifiers.corruption.measures import Measurer, distance, means
from classifiers.corruption.optimizers import FINITE_DIFFERENCE, PAPER, make_optimizer
from classifiers.corruption.questions import ForgetQuestion, subsample
from classifiers.corruption.recipe import CorruptionRecipe
from classifiers.corruption.reference import Reference
from classifiers.corruption.search import Evaluate, Found, Report, Search
from classifiers.corruption.search_space import SearchSpace
from classifiers.corruption.trace import Evaluation, Stage, Trace
from classifiers.model_server.endpoint import ModelEndpoint
from classifiers.prompts.files import fingerprint
from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import PAGE, draft
from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.functions import Corruption
from guard.corruption.learned import KIND
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.terms.corruption import DEFAULT_KIND
from guard.terms.errors import ConfigError

FORGET_SET = "corruption-search"
"""Seeds the noise, beside the key: the same for all candidates."""


@dataclass(frozen=True)
class Candidates:
    """Measures corruptions of one model on the questions, against the reference."""

    measurer: Measurer
    table: EmbeddingTable
    folder: Path
    questions: Sequence[ForgetQuestion]
    places: Sequence[int]
    reference: Reference
    recipe: CorruptionRecipe

    @property
    def is_staged(self) -> bool:
        """Whether the search's questions are a part of all."""
        return len(self.places) < len(self.questions)

    def __call__(self, stage: Stage, corruption: Corruption) -> Evaluation:
        """Measured with the noise that all candidates share."""
        return self.measured(stage, corruption, key=0)

    def measured(self, stage: Stage, corruption: Corruption, key: int) -> Evaluation:
        """Measured with the noise of a numbered key."""
        is_part = stage == "search"
        rows = [self.questions[at] for at in self.places] if is_part else self.questions
        target = self.reference.search if is_part else self.reference.full
        started, endpoint = perf_counter(), self.measurer.endpoint.counted()
        asking = replace(self.measurer, endpoint=endpoint)
        values = means(asking.measure(rows, self._corruptor(corruption, key)))
        return Evaluation(
            stage=stage,
            corruption=corruption,
            metrics=values,
            distance=distance(values, target, self.recipe.weights, self.recipe.scales),
            seconds=round(perf_counter() - started, 3),
            requests=endpoint.cost.requests,
        )

    def _corruptor(self, corruption: Corruption, key: int) -> ChatCorruptor:
        noise = f"{self.recipe.seed}-{key}".encode()
        longest = self.measurer.endpoint.served.max_tokens
        embedder = PromptEmbedder.open(self.folder, key=noise, max_tokens=longest)
        only = self.recipe.tokens == "names"
        return ChatCorruptor(embedder, corruption, FORGET_SET, names_only=only)


def served_by_default(recipe: CorruptionRecipe, space: SearchSpace) -> tuple[Corruption, ...]:
    """What serving does unless told otherwise; nothing where the optimiser has a way of its own."""
    is_given = recipe.optimizer in (PAPER, FINITE_DIFFERENCE)
    if is_given or DEFAULT_KIND not in recipe.kinds:
        return ()
    return (Corruption(DEFAULT_KIND, space.width),)


MakeEvaluate = Callable[[Candidates], AbstractContextManager[Evaluate]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the reference comes from: the first that is given of twin, file and names."""

    twin: ModelEndpoint | None = None
    file: Path | None = None
    names: Sequence[str] = ()

    def reference(
        self, measurer: Measurer, rows: Sequence[ForgetQuestion], places: Sequence[int], seed: int
    ) -> Reference:
        """Measured or read; ConfigError where there is nothing to measure it on."""
        if self.twin is not None:
            return Reference.of_twin(replace(measurer, endpoint=self.twin), rows, places)
        if self.file is not None:
            return Reference.read(self.file, measurer.metrics)
        if self.names:
            return Reference.of_strangers(measurer, rows, self.names, seed)
        raise ConfigError("reference: give a twin's address, a file with values, or names")


@dataclass(frozen=True, slots=True)
class Learned:
    """What a search found, and all that was measured on the way."""

    found: Found
    reference: Reference
    clean: Mapping[str, float]
    spread: tuple[Evaluation, ...]
    trace: tuple[Evaluation, ...]
    seconds: float
    requests: int

    @classmethod
    def search(
        cls,
        candidates: Candidates,
        evaluate: Evaluate,
        trace: Trace,
        space: SearchSpace,
        report: Report,
    ) -> Self:
        """Run or resume the search, and measure the winner under other keys."""
        recipe, endpoint = candidates.recipe, candidates.measurer.endpoint
        started, before = perf_counter(), endpoint.cost.requests
        optimizer = make_optimizer(
            recipe.optimizer,
            space,
            recipe.start,
            budget=recipe.plan.budget,
            workers=recipe.plan.workers,
            seed=recipe.seed,
        )
        first = served_by_default(recipe, space)
        found = Search(optimizer, evaluate, trace, recipe.plan, report, first).run()
        noisy = found.winner.corruption.is_noise
        spread = [
            candidates.measured("full", found.winner.corruption, key)
            for key in range(1, recipe.keys + 1 if noisy else 1)
        ]
        return cls(
            found=found,
            reference=candidates.reference,
            clean=means(candidates.measurer.measure(candidates.questions)),
            spread=tuple(spread),
            trace=tuple(trace.evaluations),
            seconds=round(perf_counter() - started, 1),
            requests=endpoint.cost.requests - before,
        )


def learn_corruption(
    questions: Sequence[ForgetQuestion],
    endpoint: ModelEndpoint,
    sources: Sources,
    folder: Path,
    out: Path,
    trace: Path,
    recipe: CorruptionRecipe | None = None,
    report: Report = lambda _done, _budget: None,
    engine: MakeEvaluate = nullcontext,
) -> Artifact:
    """Learn the corruption of the model in `folder`, served at `endpoint`, into `out`.

    `engine` makes of the candidates what measures them, here where it is left out. An
    interrupted search goes on from `trace`. Raises ConfigError, ArtifactError (the model's table)
    and EndpointError.
    """
    recipe = recipe or CorruptionRecipe()
    table = EmbeddingTable.open(folder)
    space = SearchSpace.of(table, recipe.kinds)
    measurer = recipe.measurer(endpoint, recipe.metrics(questions))
    places = subsample(questions, recipe.questions)
    reference = sources.reference(measurer, questions, places, recipe.seed)
    compared = replace(measurer, metrics=tuple(reference.full))
    candidates = Candidates(compared, table, folder, questions, places, reference, recipe)
    with Trace(trace, _header(candidates)) as opened, engine(candidates) as evaluate:
        learned = Learned.search(candidates, evaluate, opened, space, report)
    return _publish(out, candidates, learned)


def _header(candidates: Candidates) -> dict[str, Any]:
    """What must be the same for measurements to be comparable and the search to be repeatable."""
    recipe = candidates.recipe
    return {
        "model": candidates.measurer.endpoint.served.name,
        "table": candidates.table.digest,
        "questions": fingerprint(candidates.questions).sha256,
        "recipe": asdict(recipe),
        "metrics": list(candidates.measurer.metrics),
        "reference": candidates.reference.origin,
    }


def _publish(out: Path, candidates: Candidates, learned: Learned) -> Artifact:
    winner, table = learned.found.winner, candidates.table
    chosen = winner.corruption
    recipe: dict[str, JsonValue] = {
        **{"kind": chosen.kind, "dims": chosen.dims, "strength": float(chosen.strength)},
        **{"width": table.width, "table": table.digest, "tokens": candidates.recipe.tokens},
    }
    figures = {
        **dict(winner.metrics),
        "distance": winner.distance,
        "evaluations": float(learned.found.evaluations),
        "requests": float(learned.requests),
        "seconds": learned.seconds,
    }
    report = _report(candidates, learned)
    name = candidates.measurer.endpoint.served.name
    return write(
        out,
        draft(
            KIND,
            name,
            recipe=recipe,
            metrics=figures,
            data={"questions": fingerprint(candidates.questions)},
        ),
        files={PAGE: learned_page(name, report)},
        report=report,
    )


def _report(candidates: Candidates, learned: Learned) -> dict[str, JsonValue]:
    winner, recipe = learned.found.winner, candidates.recipe
    chosen = winner.corruption
    noise = f", strength {chosen.strength:g}" if chosen.is_noise else ""
    summary = (
        f"{chosen.kind} on {chosen.dims} of {candidates.table.width} dimensions{noise}, tokens: "
        f"{recipe.tokens}: distance "
        f"{winner.distance:.2f} from the reference ({learned.reference.origin}), found by "
        f"{recipe.optimizer} in {learned.found.evaluations} evaluations (ended: "
        f"{learned.found.ended}); {learned.requests} requests and {learned.seconds:g} seconds."
    )
    return {
        "summary": summary,
        "corruption": asdict(chosen),
        "distance": winner.distance,
        "metrics": dict(winner.metrics),
        "reference": dict(learned.reference.full),
        "reference_origin": learned.reference.origin,
        "uncorrupted": dict(learned.clean),
        "spread": [_line(evaluation) for evaluation in learned.spread],
        "trace": [_line(evaluation) for evaluation in learned.trace],
        "optimizer": recipe.optimizer,
        "ended": learned.found.ended,
        "evaluations": learned.found.evaluations,
        "questions": {"search": len(candidates.places), "all": len(candidates.questions)},
        "cost": {"requests": learned.requests, "seconds": learned.seconds},
    }


def _line(evaluation: Evaluation) -> dict[str, JsonValue]:
    row = asdict(evaluation)
    return {**row.pop("corruption"), **row.pop("metrics"), **row}
