"""The trace keeps measurements, and finds them by stage and corruption."""

from pathlib import Path

from classifiers.corruption.trace import Evaluation, Trace
from tests.classifiers.corruption.rig import BEST

MEASURED = Evaluation("search", BEST, {"rouge": 0.25}, 1.5, 0.75, 40)


def test_a_measurement_is_found_again(tmp_path: Path) -> None:
    for _ in range(2):
        with Trace(tmp_path / "deep" / "trace", {"model": "demo"}) as trace:
            if not trace.evaluations:
                trace.add(MEASURED)
            assert trace.find_evaluation("search", BEST) == MEASURED
            assert trace.find_evaluation("full", BEST) is None
            assert trace.evaluations == [MEASURED]
