"""What single features of the proxy cost a request that is only relayed.

    python -m lab.performance.features --out FOLDER [--connections 1 16]

Keys, limits, records of every request, captured prompts and traces, each beside the proxy without
any; they take turns as in `lab.performance.compare`. The collector of traces is the model server,
which answers whatever it is asked.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.performance.compare import Plan, compare, model_server, named, parser
from lab.performance.contestants import Contestant, Maker, Surroundings, ecoguard, nginx
from lab.performance.load import KEY
from lab.performance.measurement import cells

Sections = Mapping[str, object]
RATES = dict.fromkeys(
    ("requests_per_minute", "tokens_per_minute", "concurrent_requests"), 1_000_000_000
)
"""More than is ever asked for."""
NOTHING_CAPTURED: Mapping[str, object] = {}
CAPTURE = {"enabled": True, "rate": 1.0, "daily_prompts_per_key": 1_000_000_000}


def makers() -> dict[str, Maker]:
    """The proxy without and with each of the features, by name, and nginx to compare CPU with."""
    return {
        "nginx": nginx,
        "plain": _maker("plain", lambda _: {}),
        "keys": _maker("keys", lambda _: keys()),
        "limits": _maker("limits", lambda _: {**keys(), "limits": {"per_key": RATES}}),
        "records": _maker("records", lambda around: records(around, "records")),
        "captures": _maker("captures", lambda around: records(around, "captures", CAPTURE)),
        "1 % traced": _maker("few-traces", lambda around: traces(around, 0.01)),
        "all traced": _maker("traces", lambda around: traces(around, 1.0)),
    }


def _maker(name: str, sections: Callable[[Surroundings], Sections]) -> Maker:
    def make(around: Surroundings) -> Contestant:
        return ecoguard(name, sections(around))(around)

    return make


def keys() -> Sections:
    """The load's key, in the company of others."""
    texts = [KEY, *(f"sk-other-{number}" for number in range(99))]
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    return {"keys": [{"name": f"key-{at}", "sha256": digest} for at, digest in enumerate(digests)]}


def records(
    around: Surroundings, name: str, capture: Mapping[str, object] = NOTHING_CAPTURED
) -> Sections:
    """A row of every request, and its prompt where `capture` says so."""
    return {"store": {"url": f"sqlite:///{around.folder / name}.db", "capture": capture}}


def traces(around: Surroundings, ratio: float) -> Sections:
    """Spans of a share of the requests."""
    return {"tracing": {"endpoint": f"{around.upstream}/v1/traces", "sample_ratio": ratio}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    options = parser()
    options.set_defaults(connections=[1, 16], tokens=[64])
    given = options.parse_args(arguments)
    plan = Plan(
        cells(given.connections, given.tokens, ("new",), (False,)),
        given.rounds,
        given.seconds,
        given.most,
    )
    with TemporaryDirectory(prefix="ecoguard-bench-") as scratch, model_server(Path(scratch)) as up:
        compare(plan, named(makers(), given.only), up, Path(scratch), given.out)


if __name__ == "__main__":
    main()
