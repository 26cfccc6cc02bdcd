"""Threads against cores, and what is said about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guard.gateway.sizing import (
    YOUNG_OBJECTS,
    busy_threads,
    cores,
    oversubscription,
    pass_threads,
)
from guard.settings import Settings


def settings(screening: int = 1, encoder: dict[str, object] | None = None) -> Settings:
    return Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:1"},
            "limits": {"screening_threads": screening},
            "encoder": encoder,
            "detectors": {"d": {"kind": "phrases", "phrases": ["x"]}},
            "policies": [{"name": "p", "detector": "d", "action": "block"}],
        }
    )


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("", None)],
)
def test_cores_are_those_that_the_container_gives(
    tmp_path: Path, limit: str, expected: int | None
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(limit)
    allowed = len(os.sched_getaffinity(0))
    assert cores(file) == (expected or allowed)
    assert cores(tmp_path / "none") == allowed


def test_busy_threads_are_a_product() -> None:
    local = {"path": "e", "threads": 3}
    pooled = {**local, "url": "http://127.0.0.1:2"}
    assert busy_threads(settings(2, local), workers=4, available=8) == 24
    assert busy_threads(settings(2, pooled), workers=4, available=8) == 8
    assert busy_threads(settings(2), workers=4, available=8) == 8


@pytest.mark.parametrize(
    ("chosen", "screening", "workers", "available", "expected"),
    [
        (None, 1, 1, 1, 1),
        (None, 1, 1, 2, 2),
        (None, 1, 2, 2, 1),
        (None, 2, 1, 6, 3),
        (None, 4, 2, 4, 1),
        (None, 1, 1, 64, 4),
        (7, 1, 1, 2, 7),
    ],
)
def test_a_pass_takes_the_cores_that_are_its_own(
    chosen: int | None, screening: int, workers: int, available: int, expected: int
) -> None:
    sized = settings(screening, {"path": "e", "threads": chosen})
    assert pass_threads(sized, workers, available) == expected
    assert pass_threads(settings(screening), 1, 1) == 1
    if chosen is None and workers * screening <= available:
        assert oversubscription(sized, workers, available) is None


def test_a_detector_with_a_model_of_its_own_is_counted() -> None:
    plain = settings(3)
    detectors = {"d": {"kind": "artifact", "path": "d"}}
    own = Settings.model_validate({**plain.model_dump(), "detectors": detectors})
    assert busy_threads(own, workers=1, available=6) == 6
    assert busy_threads(plain, workers=1, available=6) == 3


def test_more_threads_than_cores_are_remarked() -> None:
    assert oversubscription(settings(2), workers=2, available=4) is None
    assert "8 threads" in str(oversubscription(settings(4), workers=2, available=4))
    without = settings(4).model_copy(update={"policies": ()})
    assert oversubscription(without, workers=2, available=4) is None


def test_settling_leaves_one_thread_for_matrix_products() -> None:
    code = (
        "import numpy; from guard.gateway.sizing import settle; settle(); "
        "import gc, threadpoolctl; "
        "print(*{pool['num_threads'] for pool in threadpoolctl.threadpool_info()}); "
        "print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0]); "
        "import sys; print(sys.getswitchinterval() < 0.001)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "True", str(YOUNG_OBJECTS), "True"]
