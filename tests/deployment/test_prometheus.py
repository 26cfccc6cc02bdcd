"""A real Prometheus scrapes a running proxy: every rule is evaluated, every query returns data."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml

from classifiers.model_server.process import free_port
from guard.detectors.calibration import Calibration
from guard.gateway.loading import Resources
from guard.server.app import create_app
from tests.deployment.dashboards import DASHBOARDS, dashboard
from tests.deployment.exposition import metrics_in
from tests.deployment.programs import prometheus
from tests.deployment.test_alerts import RULES, alerts
from tests.fakes import FailingDetector, FakeVLLM, WordDetector
from tests.guard.conftest import CHAT, policies_of, settings_for
from tests.servers import serving

WITHIN = 30
SCRAPE = "200ms"
# Two scrapes, and between them answers and a batch of audit rows.
TWICE_SEEN = (
    'sum(rate(ecoguard_requests_total{status="5xx"}[1m])) > 0'
    " and sum(rate(ecoguard_store_written_total[1m])) > 0"
)
SERIES = re.compile(r"^((?:ecoguard|process)_\w+)[ {]", re.MULTILINE)
# Rates over what a test has time for.
WINDOWS = re.compile(r"\[(?:\d+[smhd]|\$__rate_interval)\]")


@dataclass
class CalibratedDetector(WordDetector):
    """A word list that knows how unusual its scores are."""

    calibration: Calibration = field(
        default_factory=lambda: Calibration([0, 0.1, 0.2], [1, 1, 0.9])
    )


RULE_SET = (
    ("block", CalibratedDetector("attack")),
    ("flag", FailingDetector()),
    ("block", WordDetector("odd")),
    ("block", FailingDetector()),
)
POLICIES = [
    {"name": "malicious", "detector": "d0", "action": "block"},
    {"name": "broken", "detector": "d1", "action": "block", "on_error": "allow"},
    {"name": "new", "detector": "d2", "action": "block", "shadow": True},
    {"name": "broken-new", "detector": "d3", "action": "block", "shadow": True},
]


@asynccontextmanager
async def proxy(vllm: FakeVLLM, folder: Path) -> AsyncIterator[str]:
    """A proxy whose policies pass, block, fail and run in shadow, with a store."""
    sections = {"policies": POLICIES, "store": {"url": f"sqlite:///{folder}/traffic.db"}}
    async with serving(vllm) as upstream:
        settings = settings_for(upstream, RULE_SET, "block", sections)
        digests = {"d0": "0123456789abcdef" * 4}
        resources = Resources(policies_of(settings, RULE_SET), None, None, {}, None, digests)
        async with serving(create_app(settings, resources)) as url:
            yield url


@asynccontextmanager
async def scraping(target: str, folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A Prometheus with our rules that scrapes `target` often; yields a client of its API."""
    port = free_port()
    (folder / "prometheus.yml").write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": SCRAPE, "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [
                    {
                        "job_name": "ecoguard",
                        "scrape_timeout": SCRAPE,
                        "static_configs": [{"targets": [target.removeprefix("http://")]}],
                    }
                ],
            }
        )
    )
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(prometheus()),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            await _ready(client, process)
            yield client
    finally:
        process.kill()
        await process.wait()


async def _ready(client: httpx2.AsyncClient, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                if (await client.get("/-/ready")).status_code == 200:
                    return
            except httpx2.ConnectError:
                pass
            with suppress(TimeoutError):
                raise AssertionError(f"ended: {await asyncio.wait_for(process.wait(), 0.05)}")


async def ask(url: str, vllm: FakeVLLM) -> None:
    """A few requests of every kind; the last one fails at the model server."""
    async with httpx2.AsyncClient(base_url=url, timeout=10) as client:
        for text in ("hello", "an attack", "something odd"):
            messages = [{"role": "user", "content": text}]
            await client.post(CHAT, json={"model": "demo", "messages": messages})
        await client.post(CHAT, json={"model": "demo", "messages": []})
        vllm.status = 500
        messages = [{"role": "user", "content": "hello"}]
        await client.post(CHAT, json={"model": "demo", "messages": messages})
        vllm.status = 200


async def query(client: httpx2.AsyncClient, expression: str) -> list[Any]:
    """The samples of an expression now."""
    answer = (await client.get("/api/v1/query", params={"query": expression})).json()
    assert answer["status"] == "success", (expression, answer)
    samples: list[Any] = answer["data"]["result"]
    return samples


async def ask_until(url: str, vllm: FakeVLLM, client: httpx2.AsyncClient, expression: str) -> None:
    """Ask, again and again, until Prometheus finds that an expression holds."""
    async with asyncio.timeout(WITHIN):
        while not await query(client, expression):
            await ask(url, vllm)


def queries() -> list[str]:
    """Every query of the dashboards, its variables filled in and its windows cut short."""
    panels = [panel for uid in DASHBOARDS for panel in dashboard(uid)["panels"]]
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    return [WINDOWS.sub("[1m]", text.replace("$job", "ecoguard")) for text in found]


async def test_a_real_prometheus_gets_data_for_every_query(tmp_path: Path) -> None:
    vllm = FakeVLLM()
    async with proxy(vllm, tmp_path) as url, scraping(url, tmp_path) as client:
        await ask_until(url, vllm, client, TWICE_SEEN)

        async with httpx2.AsyncClient(base_url=url) as asking:
            series = set(SERIES.findall((await asking.get("/metrics")).text))
        for name in series:
            assert await query(client, name), name
        # Some series begin with an event that has not happened here.
        answerable = [text for text in queries() if metrics_in(text) <= series]
        assert len(answerable) > 0.8 * len(queries())
        assert [text for text in answerable if not await query(client, text)] == []
        groups = (await client.get("/api/v1/rules")).json()["data"]["groups"]

    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert rules.keys() == alerts().keys()
    assert {rule["lastError"] for rule in rules.values() if "lastError" in rule} == set()
    assert {rule["health"] for rule in rules.values()} <= {"ok", "unknown"}
