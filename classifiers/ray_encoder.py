"""The encoder on Ray's workers: features of many prompts from several processes or machines.

A shard goes to one worker whole, and every worker has the same graph: the features are those that
one process computes, to the last bit on processors of the same kind.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from guard.artifacts import Artifact, read
from guard.detectors.contract import Features
from guard.encoders.onnx_encoder import KIND, OnnxEncoder
from guard.errors import ConfigError

LOCAL = "local"
"""The address of a Ray of our own on this machine."""


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

    @classmethod
    def at(cls, folder: Path, address: str = LOCAL, workers: int | None = None) -> Self:
        """The encoder in an artifact folder; ArtifactError names what is wrong with it."""
        return cls(read(folder, KIND), address, workers)

    def __enter__(self) -> Self:
        """Connect to Ray, or start one; ConfigError where that fails."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # sends nothing home
        try:
            import ray
            from ray.util import ActorPool
        except ModuleNotFoundError as error:
            raise ConfigError(f"--engine ray: no {error.name}: install ecoguard[ray]") from None
        own = {"include_dashboard": False} if self._address == LOCAL else {}
        try:
            ray.init(
                self._address,
                log_to_driver=False,
                configure_logging=False,
                **own,
            )
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise ConfigError(f"--ray-address {self._address}: {type(error).__name__}") from error
        count = self._workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        shared = ray.put(self._artifact)  # once per machine, not once per worker
        worker = ray.remote(num_cpus=1)(_Worker)
        self._pool = ActorPool([worker.remote(shared) for _ in range(count)])
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        self._pool = None
        ray.shutdown()

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
