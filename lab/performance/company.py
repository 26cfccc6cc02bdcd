"""What other requests feel while new prompts are screened.

    python -m lab.performance.company --artifacts FOLDER [--tokens 64 1000 4000]

One client repeats a request whose verdict is remembered; four others send new prompts all the
while, for both detectors to read. Prints the repeated request's times, alone and in company.
"""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.performance.artifacts import build
from lab.performance.compare import model_server
from lab.performance.contestants import Surroundings, ecoguard, running
from lab.performance.load import Samples, put_load
from lab.performance.prompts import bodies

OTHERS = 4
WARM_S = 0.5
MOST = 1_000_000


async def measure(port: int, tokens: int, seconds: float) -> tuple[Samples, Samples | None]:
    """The repeated request's samples, and those of new prompts of `tokens` tokens (0: none)."""
    others = None
    if tokens:
        new = bodies("new", tokens, stream=False)
        others = asyncio.create_task(_load(port, new, OTHERS, seconds + WARM_S))
        await asyncio.sleep(WARM_S)
    own = await _load(port, bodies("repeated", 16, stream=False), 1, seconds)
    return own, await others if others else None


async def _load(port: int, sent: Iterator[bytes], connections: int, seconds: float) -> Samples:
    return await put_load(
        port, sent, connections=connections, seconds=seconds, most=MOST, deadline_s=300
    )


def told(tokens: int, own: Samples, others: Samples | None) -> Mapping[str, float]:
    """The figures of one run."""
    return {
        "tokens": tokens,
        "p50_ms": own.percentile(50),
        "p99_ms": own.percentile(99),
        "others_per_s": others.rate if others else 0.0,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, required=True)
    parser.add_argument("--tokens", type=int, nargs="*", default=[64, 1000, 4000])
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args(arguments)
    maker = ecoguard("both", build(given.artifacts).sections("forget", "malicious"))
    with (
        TemporaryDirectory(prefix="ecoguard-bench-") as scratch,
        model_server(Path(scratch)) as upstream,
        running({"both": maker}, Surroundings(Path(scratch), upstream.url)) as servers,
    ):
        for tokens in (0, *given.tokens):
            samples = asyncio.run(measure(servers["both"].port, tokens, given.seconds))
            found = told(tokens, *samples)
            sys.stdout.write(
                f"beside {OTHERS if tokens else 0} clients, new prompts of {tokens:4d} tokens "
                f"({found['others_per_s']:.1f} per second): p50 {found['p50_ms']:.2f} ms, "
                f"p99 {found['p99_ms']:.2f} ms\n"
            )


if __name__ == "__main__":
    main()
