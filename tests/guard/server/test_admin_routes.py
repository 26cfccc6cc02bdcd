"""The admin API: what is in service."""

from tests.fakes import WordDetector
from tests.guard.conftest import RigMaker, bearer, key_of

KEYS = [key_of("ops", "admin")]
STATUS, RELOAD = "/v1/guard/admin/status", "/v1/guard/admin/reload"


async def test_status_names_policies_and_artifacts(make_rig: RigMaker) -> None:
    async with make_rig(("block", WordDetector("attack")), keys=KEYS) as rig:
        answer = await rig.client.get(STATUS, headers=bearer("ops"))

    assert answer.json() == {
        "policies": [{"name": "p0", "detector": "d0", "action": "block"}],
        "artifacts": {},
    }


async def test_without_keys_nobody_is_an_administrator(make_rig: RigMaker) -> None:
    async with make_rig() as rig:
        answers = [await rig.client.get(STATUS), await rig.client.post(RELOAD)]

    assert [answer.status_code for answer in answers] == [401, 401]


async def test_a_configuration_that_came_from_no_file_cannot_be_reloaded(
    make_rig: RigMaker,
) -> None:
    async with make_rig(keys=KEYS) as rig:
        answer = await rig.client.post(RELOAD, headers=bearer("ops"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "reload_refused")
