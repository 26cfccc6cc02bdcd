"""A request in company: both loads run at once, and both are told."""

from pathlib import Path

from lab.performance.company import measure, told
from lab.performance.compare import model_server
from lab.performance.contestants import Surroundings, ecoguard, running


async def test_a_request_is_measured_alone_and_in_company(tmp_path: Path) -> None:
    phrases = {
        "detectors": {"d": {"kind": "phrases", "phrases": ["never said"]}},
        "policies": [{"name": "p", "detector": "d", "action": "block"}],
    }
    with (
        model_server(tmp_path) as upstream,
        running(
            {"proxy": ecoguard("proxy", phrases)}, Surroundings(tmp_path, upstream.url)
        ) as servers,
    ):
        alone = told(0, *await measure(servers["proxy"].port, 0, 0.2))
        company = told(16, *await measure(servers["proxy"].port, 16, 0.2))
    assert alone["others_per_s"] == 0 < company["others_per_s"]
    assert 0 < company["p50_ms"] <= company["p99_ms"]
