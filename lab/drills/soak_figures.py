"""What came of a soak, and whether it passes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

MOST_CONNECTIONS = 2
"""May be left: those of the health checks, one to each model server."""
MOST_GROWTH_BYTES = 24 << 20
"""Memory may grow so much between the first fifth of the requests and the end."""


@dataclass
class Figures:
    """What came of the requests, and what the proxy held."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    improper: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    unscreened: int = 0
    left_over: float = 0
    connections: int = 0
    audited: float = 0
    dropped: float = 0
    unaccounted: float = 0

    @property
    def growth_bytes(self) -> int:
        """Between the first fifth of the measurements and the last."""
        fifth = max(1, len(self.memory) // 5)
        return max(self.memory[-fifth:]) - max(self.memory[:fifth]) if self.memory else 0

    @property
    def is_good(self) -> bool:
        """Whether the soak passes."""
        return not (
            self.improper
            or self.unscreened
            or self.left_over
            or self.unaccounted
            or self.connections > MOST_CONNECTIONS
            or self.growth_bytes > MOST_GROWTH_BYTES
        )

    def described(self) -> Mapping[str, object]:
        """For people and files."""
        ordered = sorted(self.seconds)
        return {
            "passes": self.is_good,
            "requests": sum(self.outcomes.values()),
            "outcomes": dict(sorted(self.outcomes.items())),
            "faults": dict(sorted(self.faults.items())),
            "improper": self.improper[:10],
            "unscreened": self.unscreened,
            "left_over": self.left_over,
            "audited": self.audited,
            "audits_dropped": self.dropped,
            "audits_missing": self.unaccounted,
            "connections_left": self.connections,
            "p50_s": round(ordered[len(ordered) // 2], 4),
            "p99_s": round(ordered[len(ordered) * 99 // 100], 4),
            "slowest_s": round(ordered[-1], 4),
            "memory_mb": [
                round(size / 1e6, 1) for size in self.memory[:: len(self.memory) // 20 or 1]
            ],
            "growth_mb": round(self.growth_bytes / 1e6, 1),
        }


def is_proper(status: int, content: bytes) -> bool:
    """Whether an answer is one that a client can rely on.

    An error has OpenAI's envelope; a stream ends with `[DONE]` or an error; JSON is whole.
    """
    if content.startswith(b"data:"):
        return status == 200 and _ends_honestly(content)
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    if status == 200:
        return "choices" in body
    return status in (400, 429, 502, 503, 504) and {"message", "code"} <= set(body["error"])


def _ends_honestly(content: bytes) -> bool:
    last = content.strip().rpartition(b"data: ")[2]
    if last == b"[DONE]":
        return True
    try:
        return "error" in orjson.loads(last)
    except orjson.JSONDecodeError:
        return False
