"""The soak, small: every kind of request through several kinds of faults."""

from pathlib import Path

import pytest

from lab.drills.soak import soak
from lab.drills.soak_figures import Figures, is_proper
from tests.postgres import binaries


@pytest.mark.parametrize(
    ("status", "content", "proper"),
    [
        (200, b'{"choices": []}', True),
        (200, b'{"choices": [', False),
        (200, b"", False),
        (503, b'{"error": {"message": "x", "code": "y"}}', True),
        (500, b'{"error": {"message": "x", "code": "internal_error"}}', False),
        (502, b"Bad gateway", False),
        (200, b"data: {}\n\ndata: [DONE]\n\n", True),
        (200, b'data: {}\n\ndata: {"error": {}}\n\n', True),
        (200, b"data: {}\n\n", False),
        (200, b"data: {}\n\ndata: {", False),
    ],
)
def test_what_counts_as_a_proper_answer(status: int, content: bytes, proper: bool) -> None:
    assert is_proper(status, content) is proper


def test_a_soak_that_lost_something_does_not_pass() -> None:
    assert Figures().is_good
    assert not Figures(improper=["plain: 500"]).is_good
    assert not Figures(unscreened=1).is_good
    assert not Figures(left_over=1).is_good
    assert not Figures(connections=3).is_good
    assert not Figures(unaccounted=1).is_good
    assert not Figures(memory=[10 << 20] * 5 + [90 << 20] * 5).is_good


def test_a_small_soak_passes(tmp_path: Path) -> None:
    figures = soak(tmp_path, requests=300, connections=16, every_s=0.05)

    assert figures.is_good, figures.described()
    assert len(figures.faults) >= 5
    assert sum(figures.outcomes.values()) == 300
    if binaries():
        assert figures.audited > 0
        assert figures.audited + figures.dropped >= 300
