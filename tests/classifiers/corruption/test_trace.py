"""The trace: what it keeps, and what it refuses."""

from pathlib import Path

import pytest

from classifiers.corruption.trace import Evaluation, Trace
from guard.terms.errors import ConfigError
from tests.classifiers.corruption.rig import BEST

MEASURED = Evaluation("search", BEST, {"rouge": 0.25}, 1.5, 0.75, 40)


def test_a_measurement_is_found_again(tmp_path: Path) -> None:
    for _ in range(2):
        with Trace(tmp_path / "deep" / "trace", {"model": "demo"}) as trace:
            if not trace.evaluations:
                trace.add(MEASURED)
            assert trace.find("search", BEST) == MEASURED
            assert trace.find("full", BEST) is None
    assert len((tmp_path / "deep" / "trace").read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    "line", [b"[]", b"nonsense", b'{"stage": "search"}', MEASURED.line().replace(b"top_k", b"all")]
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "trace"
    file.write_bytes(b"{}\n" + line + b"\n")
    with pytest.raises(ConfigError, match=r"trace:2|corruption kind"):
        Trace(file, {})
