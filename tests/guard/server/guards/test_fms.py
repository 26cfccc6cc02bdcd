"""The FMS detectors' API: a detection for each policy that fired."""

from typing import Any

import pytest

from tests.fakes import FailingDetector, WordDetector
from tests.guard.conftest import RigMaker, bearer
from tests.guard.server.guards.test_moderations import OPEN

ROUTE = "/api/v1/text/contents"


async def test_each_content_has_its_detections(make_rig: RigMaker) -> None:
    rules = ("block", WordDetector("attack")), ("flag", WordDetector("maybe"))
    body = {"contents": ["hello", "maybe an attack"], "detector_params": {}}
    async with make_rig(*rules, **OPEN) as rig:
        headers = {**bearer("tool"), "detector-id": "anything"}
        found = (await rig.client.post(ROUTE, json=body, headers=headers)).json()
    span = {"start": 0, "end": 15, "text": "maybe an attack", "score": 1.0}
    assert found == [
        [],
        [
            {**span, "detection": "p0", "detection_type": "d0"},
            {**span, "detection": "p1", "detection_type": "d1"},
        ],
    ]


async def test_answers_have_policies_of_their_own(make_rig: RigMaker) -> None:
    policies = [{"name": "answers", "detector": "d0", "action": "block", "side": "answer"}]
    body = {"contents": ["an attack"], "detector_params": {"side": "answer"}}
    async with make_rig(("block", WordDetector("attack")), **OPEN, policies=policies) as rig:
        found = (await rig.client.post(ROUTE, json=body, headers=bearer("tool"))).json()
        none = await rig.client.post(ROUTE, json={"contents": ["attack"]}, headers=bearer("tool"))
    assert [detection["detection"] for detection in found[0]] == ["answers"]
    assert none.json() == [[]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contents": []},
        {"contents": [5]},
        {"contents": ["x"] * 257},
        {"contents": ["x"], "detector_params": {"side": "both"}},
        {"contents": ["x"], "detector_params": 5},
    ],
)
async def test_errors_have_the_detectors_form(make_rig: RigMaker, body: dict[str, Any]) -> None:
    async with make_rig(**OPEN) as rig:
        response = await rig.client.post(ROUTE, json=body, headers=bearer("tool"))
    assert response.status_code == response.json()["code"] == 400
    assert response.json()["message"]


async def test_no_verdict_is_an_error(make_rig: RigMaker) -> None:
    async with make_rig(("block", FailingDetector()), **OPEN) as rig:
        response = await rig.client.post(ROUTE, json={"contents": ["x"]}, headers=bearer("tool"))
    assert (response.status_code, response.json()["code"]) == (503, 503)
