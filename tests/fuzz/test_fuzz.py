"""A short fuzz run; `python -m tests.fuzz` is the long one."""

from pathlib import Path

from tests.fuzz.corpus import ROUTES
from tests.fuzz.driver import Fuzzer, run

REQUESTS = 1500


async def test_any_request_gets_an_answer_in_its_protocols_form(tmp_path: Path) -> None:
    report = await run(REQUESTS, 20_26, tmp_path)

    assert [fault for _, fault in report.faults] == []
    # The run would prove little if it never came as far as the model, or the detectors.
    assert set(report.routes) == set(ROUTES)
    assert report.statuses[200] > REQUESTS / 20
    assert report.codes["content_filter"] > 0
    assert report.codes["invalid_json"] > 0
    assert report.upstream > REQUESTS / 20
    assert report.corrupted > 0


def test_a_seed_makes_the_same_requests() -> None:
    first, second = Fuzzer(5), Fuzzer(5)
    assert [first.request() for _ in range(50)] == [second.request() for _ in range(50)]
