"""Threads and memory of a serving process: sized to the machine, whatever its environment says.

The rule: workers x `limits.screening_threads` x `encoder.threads` is at most the number of cores.
Screening keeps that many cores busy; with more, every prompt waits for the others' time slices.
Where the configuration leaves `encoder.threads` open, a prompt is read by as many as have a core.
"""

import ctypes
import gc
import os
import sys
from pathlib import Path

from guard.settings import Settings

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
WORKERS = "ECOGUARD_WORKERS"
"""In the environment of a worker process: how many of them share the machine."""
SWITCH_S = 0.0002
"""How long a screening thread may run Python while the event loop waits for its turn. Python's own
5 ms took the slowest hundredth of other requests three times as long beside long new prompts."""
MOST_PASS_THREADS = 4
"""Unless the configuration says so: a prompt has too few texts to gain from more."""
# Of glibc's mallopt. Prompt embeddings are buffers of megabytes, made and freed with every
# corrupted prompt: left alone, glibc gives many of them back to the kernel, and the next one costs
# a page fault for every 4 KiB. These keep them on the heap, up to 256 MiB of it when free.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
HEAP_BUFFER_BYTES = 32 << 20  # the most that glibc allows
HEAP_SPARE_BYTES = 256 << 20
# So many more objects than before make the garbage collector look at the young ones. By default it
# is 700: a dozen requests under way are more, and none of theirs is garbage.
YOUNG_OBJECTS = 5000


def cores(limit: Path = CPU_LIMIT) -> int:
    """Cores that this process may use: by its affinity, and by its container's limit."""
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = limit.read_text(encoding="ascii").split()
        return max(1, min(allowed, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or one without a limit
        return allowed


def workers_here() -> int:
    """How many worker processes this one is of."""
    return int(os.environ.get(WORKERS, "1"))


def pass_threads(settings: Settings, workers: int, available: int) -> int:
    """Threads in which a model that runs here reads a prompt, on so many cores."""
    if settings.encoder and settings.encoder.threads:
        return settings.encoder.threads
    own = available // (workers * settings.limits.screening_threads)
    return max(1, min(own, MOST_PASS_THREADS))


def busy_threads(settings: Settings, workers: int, available: int) -> int:
    """How many threads compute when all screening threads of all workers are at work."""
    local = settings.encoder is not None and settings.encoder.url is None
    local = local or any(source.runs_here for source in settings.detectors.values())
    each = pass_threads(settings, workers, available) if local else 1
    return workers * settings.limits.screening_threads * each


def oversubscription(settings: Settings, workers: int, available: int) -> str | None:
    """What is wrong with the numbers of threads for so many cores, or None."""
    threads = busy_threads(settings, workers, available)
    if not settings.policies or threads <= available:
        return None
    return (
        f"{workers} workers x limits.screening_threads x encoder.threads make {threads} threads "
        f"that compute on {available} cores: they will wait for each other; lower one of them"
    )


def settle() -> None:
    """Keep libraries from starting threads of their own, large buffers on the heap, the garbage
    collector away from what the process was started with, and screening from the event loop's way.

    Called once the libraries are loaded. What the environment says of malloc goes first.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()  # what stands now stays: the collector need not walk through it again and again
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    if not any(name.startswith("MALLOC_") for name in os.environ):
        _keep_buffers()


def _keep_buffers() -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's only
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, HEAP_BUFFER_BYTES)
        mallopt(_TRIM_THRESHOLD, HEAP_SPARE_BYTES)
