"""What would cost too much to screen: 413 and a code in every protocol, or passed on unread."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import WordDetector
from tests.guard.conftest import CHAT, RigMaker, bearer, key_of
from tests.guard.store.records import audit_rows

MOST = 300
LONG = "word " * 1000


def counting(most: int) -> str:
    """Two tokens for each number; no window is like another."""
    return " ".join(map(str, range(1000, 1000 + most)))


LIMITS = {"screening_tokens": MOST}
POLICIES = [{"name": "p0", "detector": "d0", "action": "block", "on_cost": "pass_unread"}]


@pytest.mark.parametrize("form", ["error", "message"])
@pytest.mark.parametrize(
    ("route", "body"),
    [
        (CHAT, {"messages": [{"role": "user", "content": LONG}]}),
        (CHAT, {"messages": [{"role": "user", "content": LONG}], "stream": True}),
        ("/v1/completions", {"prompt": LONG}),
        ("/v1/embeddings", {"input": LONG}),
        ("/v1/responses", {"input": LONG}),
        ("/v1/messages", {"messages": [{"role": "user", "content": LONG}], "max_tokens": 9}),
    ],
)
@pytest.mark.parametrize("on_error", ["block", "allow"])
async def test_it_is_413_and_says_how_much_whatever_else_is_configured(
    make_rig: RigMaker, route: str, body: dict[str, Any], form: str, on_error: str
) -> None:
    detector = WordDetector("attack")
    sections: dict[str, Any] = {"limits": LIMITS, "refusal": {"form": form}}
    async with make_rig(("block", detector), on_error=on_error, **sections) as rig:
        answer = await rig.client.post(route, json={"model": "demo", **body})

    assert answer.status_code == 413
    error = answer.json()["error"]
    assert f"at most {MOST} are read" in error["message"]
    if route == "/v1/messages":
        assert error["type"] == "request_too_large"
        assert "screening_budget_exceeded" in error["message"]
    else:
        assert error["code"] == "screening_budget_exceeded"
    assert "content_filter" not in answer.text
    assert "retry-after" not in answer.headers
    assert rig.vllm.requests == []


async def test_row_and_metrics_tell_it_from_other_failures(
    make_rig: RigMaker, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'traffic.db'}"
    store = {"url": url}
    async with make_rig(("block", WordDetector("attack")), limits=LIMITS, store=store) as rig:
        await rig.chat(LONG)
        metrics = (await rig.client.get("/metrics")).text

    (row,) = audit_rows(url)
    assert (row.action, row.status) == ("screening_budget_exceeded", 413)
    (finding,) = json.loads(row.findings) if isinstance(row.findings, str) else row.findings
    assert (finding["failure"], finding["unread"]) == ("over_budget", 0)
    labels = f'action="screening_budget_exceeded",route="{CHAT}",status="4xx"'
    assert f"ecoguard_requests_total{{{labels}}} 1.0" in metrics
    assert "ecoguard_screened_tokens_total 0.0" in metrics


async def test_what_the_policy_passes_unread_is_counted(make_rig: RigMaker, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'traffic.db'}"
    sections: dict[str, Any] = {"limits": LIMITS, "store": {"url": url}, "policies": POLICIES}
    async with make_rig(("block", WordDetector("attack")), **sections) as rig:
        passed = await rig.chat(LONG)
        blocked = await rig.chat(LONG + "attack")
        metrics = (await rig.client.get("/metrics")).text

    assert (passed.status_code, blocked.status_code) == (200, 400)
    assert blocked.json()["error"]["code"] == "content_filter"
    row, _ = audit_rows(url)
    (finding,) = json.loads(row.findings) if isinstance(row.findings, str) else row.findings
    assert 1000 - MOST <= finding["unread"] < 1000
    (counted,) = [
        line for line in metrics.splitlines() if line.startswith("ecoguard_unread_tokens_total{")
    ]
    assert float(counted.split()[-1]) >= finding["unread"]


@pytest.mark.parametrize(
    ("text", "status", "is_charged"),
    [
        ("attack " + counting(3000), 400, True),
        (counting(3000), 200, True),
        (counting(30_000), 413, False),  # nothing of it was read
    ],
)
async def test_what_was_screened_is_charged_to_the_key(
    make_rig: RigMaker, text: str, status: int, is_charged: bool
) -> None:
    """Refused or not, and also where the model counts less. The bucket fills by 200 a second."""
    keys = [{**key_of("shop"), "limits": {"tokens_per_minute": 12_000}}]
    limits = {"screening_tokens": 20_000}
    async with make_rig(("block", WordDetector("attack")), limits=limits, keys=keys) as rig:
        rig.vllm.answer["usage"] = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        first = await rig.chat(text, headers=bearer("shop"))
        again = await rig.chat("hi", headers=bearer("shop"))

    assert first.status_code == status
    assert (int(again.headers["x-ratelimit-remaining-tokens"]) < 9000) is is_charged
