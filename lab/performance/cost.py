"""What a server's processes have used, read from /proc."""

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds so far and bytes held now, of a process and all that it started.

    Memory is the proportional set size: pages that processes share are divided among them.
    """

    cpu_s: float
    memory_bytes: int


def cost_of(root: int) -> Cost:
    """The cost of a process and its descendants; those that end while it is read count 0."""
    members = descendants(root)
    return Cost(sum(map(_cpu_seconds, members)), sum(map(_memory, members)))


def descendants(root: int) -> list[int]:
    """The process and everything below it."""
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (parent := _parent(folder)) is not None:
            children.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting.extend(children.get(process, ()))
    return found


def _parent(folder: Path) -> int | None:
    try:
        stat = (folder / "stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def _cpu_seconds(process: int) -> float:
    """From the scheduler's clock, in nanoseconds: ticks of 10 ms are too coarse for a short run."""
    total = 0
    for task in _tasks(process):
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            continue
    return total / 1e9


def _tasks(process: int) -> list[Path]:
    try:
        return list((PROC / str(process) / "task").iterdir())
    except OSError:
        return []


def _memory(process: int) -> int:
    try:
        text = (PROC / str(process) / "smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) << 10
