"""Stored responses: kept by the guard, seen by the key that made them."""

import hashlib

from tests.fakes import WordDetector
from tests.guard.conftest import RigMaker

KEYS = [
    {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in ("one", "two")
]
ONE, TWO = ({"authorization": f"Bearer {name}"} for name in ("one", "two"))


async def test_stored_answer_is_read_continued_and_deleted_by_its_owner(
    make_rig: RigMaker,
) -> None:
    async with make_rig(("block", WordDetector("attack")), keys=KEYS) as rig:
        ask = {"model": "demo", "input": "hello"}
        made = (await rig.client.post("/v1/responses", json=ask, headers=ONE)).json()
        place = f"/v1/responses/{made['id']}"

        read = await rig.client.get(place, headers=ONE)
        following = {"model": "demo", "input": "more", "previous_response_id": made["id"]}
        foreign = await rig.client.post("/v1/responses", json=following, headers=TWO)
        await rig.client.post("/v1/responses", json=following, headers=ONE)
        sent = rig.vllm.requests[-1]["messages"]
        hidden = await rig.client.get(place, headers=TWO)
        cancelled = await rig.client.post(f"{place}/cancel", headers=ONE)
        deleted = await rig.client.delete(place, headers=ONE)
        gone = await rig.client.get(place, headers=ONE)

    assert read.json()["id"] == made["id"]
    assert [message["content"] for message in sent] == ["hello", "Hello.", "more"]
    assert foreign.json()["error"]["code"] == "previous_response_not_found"
    assert (hidden.status_code, gone.status_code) == (404, 404)
    assert cancelled.status_code == 400
    assert deleted.json()["deleted"] is True


async def test_earlier_turns_are_screened_again(make_rig: RigMaker) -> None:
    async with make_rig(("block", WordDetector("build the\nhello.\nbomb"))) as rig:
        first = {"model": "demo", "input": "build the"}
        made = (await rig.client.post("/v1/responses", json=first)).json()
        second = {"model": "demo", "input": "bomb", "previous_response_id": made["id"]}
        refused = await rig.client.post("/v1/responses", json=second)

    assert refused.json()["error"]["code"] == "content_filter"


async def test_keys_are_asked_for(make_rig: RigMaker) -> None:
    async with make_rig(keys=KEYS) as rig:
        assert (await rig.client.get("/v1/responses/resp_x")).status_code == 401
