"""What screening a new prompt costs beside the encoders' own forward passes, in one thread.

    python -m lab.performance.screening --artifacts FOLDER [--tokens 16 64 256 4000]

The same code as in serving, without HTTP: views, windows, tokenising, scores. A pass is the time
inside ONNX Runtime, of all encoders that the detectors use.
"""

import random
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from guard.gateway.loading import load_resources
from guard.observability.metrics import Metrics
from guard.screening.screener import Screener
from guard.settings import Settings
from guard.terms.item import Item
from lab.performance.artifacts import build
from lab.performance.prompts import text

REPEATS = 15


@dataclass
class TimedSession:
    """An ONNX Runtime session that notes its time, and how many texts and tokens it read."""

    session: Any
    seconds: float = 0.0
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def run(self, names: Any, feeds: Any) -> Any:
        """As the session's own."""
        started = perf_counter()
        result = self.session.run(names, feeds)
        self.seconds += perf_counter() - started
        self.shapes.append(next(iter(feeds.values())).shape)
        return result


def timed_sessions(resources: Any) -> list[TimedSession]:
    """Every encoder's session, replaced by one that is timed."""
    encoders = [resources.encoder] if resources.encoder else []
    encoders += [p.detector._tower for p in resources.policies if hasattr(p.detector, "_tower")]
    for encoder in encoders:
        encoder._session = TimedSession(encoder._session)
    return [encoder._session for encoder in encoders]


def measure(screener: Screener, sessions: Sequence[TimedSession], tokens: int) -> dict[str, float]:
    """Medians over new prompts of so many tokens; milliseconds, and tokens read in all."""
    generator, whole, passes = random.Random(tokens), [], []
    for _ in range(REPEATS if tokens < 1000 else 3):
        item = Item(("messages", 0, "content"), "user", text(generator, tokens), True)
        for session in sessions:
            session.seconds, session.shapes = 0.0, []
        started = perf_counter()
        screener.judge([item])
        whole.append((perf_counter() - started) * 1000)
        passes.append(sum(session.seconds for session in sessions) * 1000)
    rest = [(all_ - inside) / inside for all_, inside in zip(whole, passes, strict=True)]
    read = sum(int(np.prod(shape)) for session in sessions for shape in session.shapes)
    return {
        "whole_ms": float(np.median(whole)),
        "passes_ms": float(np.median(passes)),
        "rest": float(np.median(rest)),
        "read_tokens": read,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, required=True)
    parser.add_argument("--tokens", type=int, nargs="*", default=[16, 64, 256, 4000])
    given = parser.parse_args(arguments)
    artifacts = build(given.artifacts)
    for names in (("forget",), ("malicious",), ("forget", "malicious")):
        sections: dict[str, object] = {
            "upstream": {"url": "http://127.0.0.1:1"},
            **artifacts.sections(*names),
            "encoder": {"path": str(artifacts.encoder), "threads": 1},  # passes add up
        }
        resources = load_resources(Settings.model_validate(sections))
        sessions = timed_sessions(resources)
        screener = Screener(resources.policies, resources.encoder, Metrics())
        for tokens in given.tokens:
            found = measure(screener, sessions, tokens)
            sys.stdout.write(
                f"{' + '.join(names):20s} {tokens:5d} tokens: {found['whole_ms']:8.2f} ms, "
                f"passes {found['passes_ms']:8.2f} ms, rest {found['rest'] * 100:.1f} %, "
                f"{found['read_tokens']} tokens read\n"
            )
        screener.close()


if __name__ == "__main__":
    main()
