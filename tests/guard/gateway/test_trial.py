"""A request is judged as the proxy would, with no server on either side."""

from typing import Any

import pytest

from guard.gateway.loading import Resources
from guard.gateway.trial import Tried, try_request
from guard.settings import Settings
from guard.terms.errors import RequestError
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore
from tests.fakes import WordDetector
from tests.guard.conftest import key_of, policies_of, settings_for

CHAT = "/v1/chat/completions"
NOBODY = "http://127.0.0.1:9"
MESSAGES = {"messages": [{"role": "user", "content": "an attack"}]}


async def tried(body: dict[str, Any], key: str = "", route: str = CHAT, **sections: Any) -> Tried:
    """What a policy that looks for a word says, and one in shadow."""
    rules = ("block", WordDetector("attack")), ("flag", WordDetector("hello"))
    settings: Settings = settings_for(NOBODY, rules, "block", sections, sections.pop("whens", ()))
    resources = Resources(policies_of(settings, rules), None, None, {}, None)
    protocol = make_protocols(ResponseStore())[route]
    return await try_request(settings, resources, protocol, body, key)


async def test_each_policy_has_its_finding_in_order() -> None:
    found = await tried(MESSAGES)
    assert [finding.policy for finding, _ in found.findings] == ["p0", "p1"]
    assert found.verdict.label == "block"
    assert found.call.items[0].text == "an attack"


@pytest.mark.parametrize(("key", "policies"), [("shop", ["p0", "p1"]), ("lab", ["p1"])])
async def test_only_the_keys_policies_judge(key: str, policies: list[str]) -> None:
    keys = [key_of("shop"), key_of("lab")]
    found = await tried(MESSAGES, key, keys=keys, whens=[{"keys": ["shop"]}])
    assert [finding.policy for finding, _ in found.findings] == policies


async def test_other_routes_are_parsed_by_their_own_tables() -> None:
    found = await tried({"input": "an attack"}, route="/v1/responses")
    assert found.verdict.label == "block"


async def test_what_the_proxy_refuses_is_refused_here() -> None:
    with pytest.raises(RequestError) as refused:
        await tried({**MESSAGES, "model": "other"}, models={"demo": {}})
    assert refused.value.param == "model"


async def test_a_request_without_texts_has_no_findings() -> None:
    assert (await tried({"messages": [{"role": "user", "content": ""}]})).verdict.label == "allow"
