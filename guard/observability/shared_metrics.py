"""The numbers of several worker processes as one: kept in files that each of them reads."""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library reads it when it is imported


def shared_folder() -> str:
    """Where the workers of one server keep their numbers; "" where there is only one process."""
    return os.environ.get(SHARED_FOLDER, "")


def exposition(registry: CollectorRegistry) -> bytes:
    """Prometheus' text format: of all workers where there are several, else of `registry`."""
    folder = shared_folder()
    if not folder:
        return generate_latest(registry)
    whole = CollectorRegistry()
    MultiProcessCollector(whole, folder)  # type: ignore[no-untyped-call]
    return generate_latest(whole)


def forget_process(pid: int) -> None:
    """Leave a dead worker's gauges out from now on; what it counted stays counted."""
    mark_process_dead(pid, shared_folder())  # type: ignore[no-untyped-call]


class InService:
    """What runs, as series whose value is 1; those of what was replaced end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._build = Gauge(
            "ecoguard_build_info",
            "1, with the version that runs.",
            ("version",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._artifacts = Gauge(
            "ecoguard_artifact_info",
            "1 for each artifact in service, by detector and the start of its digest.",
            ("detector", "digest"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._shown: set[tuple[str, str]] = set()

    def show(self, version: str, artifacts: Mapping[str, str]) -> None:
        """The version, and by detector the digest of its artifact."""
        self._build.labels(version).set(1)
        shown = {(detector, digest[:12]) for detector, digest in artifacts.items()}
        for gone in self._shown - shown:
            self._artifacts.labels(*gone).set(0)
            if not shared_folder():  # there series stay until their process ends
                self._artifacts.remove(*gone)
        for labels in shown:
            self._artifacts.labels(*labels).set(1)
        self._shown = shown
