"""Harmless text that no person wrote: base64, hex, numbers, traces, access logs, JSON."""

import base64
import json
from collections.abc import Callable, Sequence

from classifiers.malicious.fine_tuning.examples import Example
from lab.detection.multilingual.sentences import Rng, own_example, pick

MOST_CHARACTERS = 700
FILES = ("main.py", "worker.go", "Auth.java", "index.ts")


def machine_row(rng: Rng) -> Example:
    """One such text."""
    return own_example(pick(WRITERS, rng)(rng)[:MOST_CHARACTERS], False, "data")


def _base64(rng: Rng) -> str:
    return base64.b64encode(rng.bytes(int(rng.integers(30, 300)))).decode()


def _hex(rng: Rng) -> str:
    return "\n".join(rng.bytes(16).hex(" ") for _ in range(rng.integers(2, 10)))


def _numbers(rng: Rng) -> str:
    rows = rng.integers(0, 10_000, (int(rng.integers(3, 15)), 6)).tolist()
    return "\n".join(",".join(map(str, row)) for row in rows)


def _trace(rng: Rng) -> str:
    frames = [
        f'  File "/srv/app/{pick(FILES, rng)}", line {rng.integers(1, 900)}, in run'
        for _ in range(rng.integers(2, 9))
    ]
    return "\n".join(["Traceback:", *frames, "TimeoutError: killed by signal 9"])


def _access_log(rng: Rng) -> str:
    return "\n".join(_access(rng) for _ in range(rng.integers(3, 12)))


def _access(rng: Rng) -> str:
    request = f"GET /item/{rng.integers(9999)} HTTP/1.1"
    status = pick(["200", "404", "403", "500"], rng)
    place = f"10.0.{rng.integers(255)}.{rng.integers(255)}"
    return f'{place} - - "{request}" {status} {rng.integers(9999)}'


def _records(rng: Rng) -> str:
    values = [
        {
            "id": int(rng.integers(1_000_000)),
            "ok": bool(rng.random() < 0.5),
            "v": round(float(rng.random()), 4),
        }
        for _ in range(rng.integers(2, 8))
    ]
    return json.dumps(values)


WRITERS: Sequence[Callable[[Rng], str]] = (_base64, _hex, _numbers, _trace, _access_log, _records)
