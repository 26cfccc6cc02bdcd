"""The proxy with a detector that raises or hangs for certain words.

    python -m lab.drills.proxy --config guard.yaml

Otherwise it is what `ecoguard serve` runs: the policy named `SCRIPTED` gets that detector in place
of its own, at every reload too.
"""

import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import uvicorn

from guard.gateway.loading import Resources
from guard.gateway.reload import read
from guard.server.app import create_app
from guard.server.http_connection import KEEP_ALIVE_S
from guard.settings import Settings
from guard.terms.detector import Detector, Features, Scores

RAISING, HANGING = "raising-words", "hanging-words"
SCRIPTED = "scripted"
HANG_S = 2.5


class ScriptedDetector(Detector):
    """Scores 0; raises for `RAISING`, and for `HANGING` keeps its thread for `HANG_S` seconds."""

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        """One score for each text."""
        for text in texts:
            if RAISING in text:
                raise RuntimeError("a fault that was ordered")
            if HANGING in text:
                threading.Event().wait(HANG_S)
        return np.zeros(len(texts), dtype=np.float32)


def scripted(file: Path) -> tuple[Settings, Resources]:
    """The configuration and what it names, with the scripted detector in its place."""
    settings, resources = read(file)
    policies = tuple(
        replace(policy, detector=ScriptedDetector()) if policy.name == SCRIPTED else policy
        for policy in resources.policies
    )
    return settings, replace(resources, policies=policies)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process ends."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--config", type=Path, required=True)
    given = parser.parse_args(arguments)
    settings, resources = scripted(given.config)
    uvicorn.run(
        create_app(settings, resources, source=given.config, read=scripted),
        host=settings.listen.host,
        port=settings.listen.port,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.listen.drain_s),
        access_log=False,
        log_level="warning",
        ws="none",
    )


if __name__ == "__main__":
    main()
