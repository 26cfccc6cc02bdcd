"""Candidates measured by Ray's workers: each asks the model server from its own process.

A search measures the same there as here: candidates share their noise, and the server answers
greedily. What a worker asks is counted with what this process asks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from classifiers.corruption.learning import Candidates
from classifiers.corruption.trace import Evaluation, Stage
from classifiers.model_server.endpoint import ModelEndpoint
from classifiers.model_server.http_client import Cost, EndpointError
from classifiers.runs.ray_session import LOCAL, ray_session
from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.functions import Corruption

OpenEndpoint = Callable[[], ModelEndpoint]


@dataclass(frozen=True)
class RayCandidates:
    """Measures candidates on workers that are free; safe to call from threads.

    Worker processes must reach the model server, and find its folder, where this one does.
    """

    candidates: Candidates
    free: "SimpleQueue[Any]"

    @property
    def is_staged(self) -> bool:
        """As of the candidates."""
        return self.candidates.is_staged

    def __call__(self, stage: Stage, corruption: Corruption) -> Evaluation:
        """Measured by the next free worker; raises what the worker raised."""
        import ray
        from ray.exceptions import RayActorError, RayTaskError

        worker = self.free.get()
        try:
            found: Evaluation = ray.get(worker.measured.remote(stage, corruption))
        except RayTaskError as error:
            raise error.cause from None
        except RayActorError as error:
            raise EndpointError("--engine ray: a worker ended before it had measured") from error
        finally:
            self.free.put(worker)
        self.candidates.measurer.endpoint.add(Cost(found.requests, found.seconds))
        return found


@contextmanager
def ray_candidates(
    candidates: Candidates, *, open_endpoint: OpenEndpoint, address: str = LOCAL
) -> Iterator[RayCandidates]:
    """Inside the block, one worker on a core of its own for each of the plan's workers.

    Fewer where Ray has fewer cores. `open_endpoint` reaches the model server from a worker.
    """
    with ray_session(address) as cores:
        import ray

        made = ray.remote(num_cpus=1)(_Worker)
        task = ray.put(_Task.of(candidates))
        free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(min(cores, candidates.recipe.plan.workers)):
            free.put(made.remote(task, open_endpoint))
        yield RayCandidates(candidates, free)


@dataclass(frozen=True)
class _Task:
    """What candidates consist of, without connections and open files."""

    fields: dict[str, Any]
    metrics: tuple[str, ...]

    @classmethod
    def of(cls, candidates: Candidates) -> "_Task":
        names = ("folder", "questions", "places", "reference", "recipe")
        fields = {name: getattr(candidates, name) for name in names}
        return cls(fields, tuple(candidates.measurer.metrics))

    def opened(self, endpoint: ModelEndpoint) -> Candidates:
        measurer = self.fields["recipe"].measurer(endpoint, self.metrics)
        table = EmbeddingTable.open(self.fields["folder"])
        return Candidates(measurer=measurer, table=table, **self.fields)


class _Worker:
    """One process with a connection to the model server of its own."""

    def __init__(self, task: _Task, open_endpoint: OpenEndpoint) -> None:
        self._candidates = task.opened(open_endpoint())

    def measured(self, stage: Stage, corruption: Corruption) -> Evaluation:
        """The measured candidate."""
        return self._candidates(stage, corruption)
