"""Cells of a comparison, runs in them, and the ratios that are reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from statistics import median

from lab.performance.prompts import Conversation

DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of load."""

    connections: int
    tokens: int
    conversation: Conversation
    stream: bool
    model: str = "prompt"

    @property
    def name(self) -> str:
        """In words."""
        answer = "stream" if self.stream else "JSON"
        pace = "" if self.model == "prompt" else f", {self.model}"
        return (
            f"{self.connections} conn., {self.tokens} tokens, {self.conversation}, {answer}{pace}"
        )


def cells(
    connections: Iterable[int],
    tokens: Iterable[int],
    conversations: Iterable[Conversation],
    streams: Iterable[bool],
) -> list[Cell]:
    """Every combination."""
    return [Cell(*chosen) for chosen in product(connections, tokens, conversations, streams)]


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant's figures in one run of a cell; milliseconds, microseconds of CPU, MiB."""

    contestant: str
    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    first_byte_ms: float
    cpu_us: float
    memory_mib: float


FIGURES = ("rate", "p50_ms", "p99_ms", "first_byte_ms", "cpu_us", "memory_mib")


def middle(runs: Sequence[Run]) -> dict[str, float]:
    """Each figure's median over the runs of one contestant in one cell."""
    return {name: median(getattr(run, name) for run in runs) for name in FIGURES}


def summary(cell: Cell, runs: Sequence[Run]) -> dict[str, object]:
    """A cell's medians by contestant, and each as a ratio to direct access.

    CPU and memory are what stands between: direct access has none, they are ratios to nginx.
    """
    names = list(dict.fromkeys(run.contestant for run in runs))
    middles = {name: middle([r for r in runs if r.contestant == name]) for name in names}
    return {
        "cell": asdict(cell),
        "figures": {name: _rounded(figures) for name, figures in middles.items()},
        "ratios": {name: _rounded(ratios(figures, middles)) for name, figures in middles.items()},
    }


def ratios(
    figures: Mapping[str, float], middles: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Figures over direct access's, CPU and memory over nginx's; left out where it has none."""
    found = {}
    for name, value in figures.items():
        beside = "nginx" if name in ("cpu_us", "memory_mib") else DIRECT
        reference = middles.get(beside, {}).get(name, 0.0)
        if reference > 0:
            found[name] = value / reference
    return found


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in figures.items()}
