"""The encoder on Ray's workers: features of many prompts from several processes or machines.

A shard goes to one worker whole, and every worker has the same graph: the features are those that
one process computes, to the last bit on processors of the same kind.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from classifiers.runs.ray_session import LOCAL, ray_session
from guard.artifacts.folder import Artifact, read
from guard.encoders.onnx_encoder import KIND, OnnxEncoder
from guard.terms.detector import Features


class RayEncoder(OnnxEncoder):
    """An encoder whose shards are encoded by Ray's workers, a CPU core each.

    Cutting texts and single calls of `encode` happen here. Use it as a context manager: on leaving,
    its workers are gone, and a Ray that was started for it ends.
    """

    def __init__(
        self, artifact: Artifact, address: str = LOCAL, workers: int | None = None
    ) -> None:
        """`address` is `local`, `auto` or a cluster's; `workers` defaults to all of its cores."""
        super().__init__(artifact)
        self._artifact = artifact
        self._address = address
        self._workers = workers
        self._pool: Any = None
        self._ray = ExitStack()

    @classmethod
    def at(cls, folder: Path, address: str = LOCAL, workers: int | None = None) -> Self:
        """The encoder in an artifact folder; ArtifactError names what is wrong with it."""
        return cls(read(folder, KIND), address, workers)

    def __enter__(self) -> Self:
        """Connect to Ray, or start one; ConfigError where that fails."""
        cores = self._ray.enter_context(ray_session(self._address))
        import ray
        from ray.util import ActorPool

        shared = ray.put(self._artifact)  # once per machine, not once per worker
        worker = ray.remote(num_cpus=1)(_Worker)
        self._pool = ActorPool([worker.remote(shared) for _ in range(self._workers or cores)])
        return self

    def __exit__(self, *_: object) -> None:
        self._pool = None
        self._ray.close()

    def encode_shards(self, shards: Iterable[Sequence[str]]) -> Iterator[Features]:
        """Features of each shard, shape (n, width), in the order of the shards.

        As many are under way as there are workers: no more texts wait in memory.
        """
        if self._pool is None:
            raise RuntimeError("not entered")
        yield from self._pool.map(lambda actor, shard: actor.encode.remote(list(shard)), shards)


class _Worker:
    """One process's encoder, on one thread: processes share the cores, threads would fight."""

    def __init__(self, artifact: Artifact) -> None:
        self._encoder = OnnxEncoder(artifact, threads=1)

    def encode(self, texts: list[str]) -> Features:
        """Features, shape (n, width)."""
        return self._encoder.encode(texts)
