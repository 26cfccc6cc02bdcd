"""Stored responses: owners, chains, bounds."""

import orjson
import pytest

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules
from guard.wire.responses import ResponsesProtocol, ResponseStore, StoreLimits
from tests.fakes import Clock
from tests.guard.wire.transcripts import answer


def message(text: str) -> dict[str, object]:
    return {"role": "user", "content": text}


def chain(store: ResponseStore, owner: str = "a") -> None:
    """Three turns: r1, r2, r3."""
    previous = None
    for n in "123":
        store.put(owner, {"id": f"r{n}"}, [message(n)], previous)
        previous = f"r{n}"


def code_of(store: ResponseStore, owner: str, response_id: str) -> str:
    with pytest.raises(RequestError) as caught:
        store.history(owner, response_id)
    assert (caught.value.status, caught.value.param) == (404, "previous_response_id")
    return caught.value.code


def test_history_is_the_chain_oldest_first() -> None:
    store = ResponseStore()
    chain(store)
    assert store.history("a", "r3") == [message(n) for n in "123"]
    assert store.history("a", "r1") == [message("1")]
    assert store.get("a", "r2") == {"id": "r2"}


def test_another_owner_sees_nothing() -> None:
    store = ResponseStore()
    chain(store)
    assert code_of(store, "b", "r3") == "previous_response_not_found"
    for act in (store.get, store.delete, store.cancel):
        with pytest.raises(RequestError) as caught:
            act("b", "r3")
        assert (caught.value.status, caught.value.code) == (404, "response_not_found")
    assert len(store) == 3


def test_a_chain_never_crosses_owners() -> None:
    store = ResponseStore()
    store.put("a", {"id": "r1"}, [message("1")])
    store.put("b", {"id": "r2"}, [message("2")], "r1")
    assert code_of(store, "b", "r2") == "previous_response_not_found"


def test_deleted_turns_are_gone_and_cannot_be_continued() -> None:
    store = ResponseStore()
    chain(store)
    assert store.delete("a", "r1") == {"id": "r1", "object": "response", "deleted": True}
    assert code_of(store, "a", "r3") == "previous_response_not_found"
    assert store.get("a", "r3") == {"id": "r3"}


def test_synchronous_responses_cannot_be_cancelled() -> None:
    store = ResponseStore()
    chain(store)
    with pytest.raises(RequestError, match="synchronous") as caught:
        store.cancel("a", "r1")
    assert caught.value.status == 400


def test_count_bound_drops_the_least_recently_used() -> None:
    store = ResponseStore(StoreLimits(responses=3))
    for n in range(3):
        store.put("a", {"id": f"r{n}"}, [])
    store.history("a", "r0")
    store.put("a", {"id": "r3"}, [])
    assert code_of(store, "a", "r1") == "previous_response_not_found"
    assert store.history("a", "r0") == []


def test_eviction_takes_leaves_before_what_they_continue() -> None:
    store = ResponseStore(StoreLimits(responses=3))
    chain(store)
    store.put("a", {"id": "other"}, [])
    assert store.history("a", "r2") == [message("1"), message("2")]
    assert code_of(store, "a", "r3") == "previous_response_not_found"


def test_byte_bound_holds_and_an_oversized_response_is_not_kept() -> None:
    store = ResponseStore(StoreLimits(bytes=200))
    store.put("a", {"id": "small"}, [message("x" * 50)])
    store.put("a", {"id": "next"}, [message("x" * 90)])
    assert code_of(store, "a", "small") == "previous_response_not_found"
    store.put("a", {"id": "huge"}, [message("x" * 500)])
    assert len(store) == 0


def test_unused_responses_expire() -> None:
    clock = Clock()
    store = ResponseStore(StoreLimits(ttl_s=10), clock)
    chain(store)
    clock.now = 8
    store.history("a", "r2")
    clock.now = 15
    assert store.history("a", "r2") == [message("1"), message("2")]
    assert code_of(store, "a", "r3") == "previous_response_not_found"


def turn(protocol: ResponsesProtocol, owner: str, text: str, **fields: object) -> str:
    body: JsonObject = {"model": "demo", "input": text, **fields}
    call = protocol.parse(body, FieldRules(), None, owner)
    response = protocol.translate(call, answer({"content": f"re: {text}", "reasoning": "hm"}))
    return str(orjson.loads(response)["id"])


def test_earlier_turns_are_screened_again_and_instructions_do_not_come_back() -> None:
    protocol = ResponsesProtocol()
    first = turn(protocol, "a", "CANARY", instructions="old rules")
    body: JsonObject = {"model": "demo", "input": "next", "previous_response_id": first}
    call = protocol.parse({**body, "instructions": "new rules"}, FieldRules(), None, "a")

    assert call.body["messages"] == [
        {"role": "system", "content": "new rules"},
        {"role": "user", "content": "CANARY"},
        {"role": "assistant", "reasoning": "hm", "content": "re: CANARY"},
        {"role": "user", "content": "next"},
    ]
    assert ("messages", 1, "content") in [s.path for s in call.items if s.text == "CANARY"]
    with pytest.raises(RequestError, match="previous response"):
        protocol.parse(body, FieldRules(), None, "b")


def test_nothing_is_kept_when_asked_not_to() -> None:
    protocol = ResponsesProtocol()
    call = protocol.parse({"model": "m", "input": "x", "store": False}, FieldRules(), None, "a")
    protocol.translate(call, answer({"content": "y"}))
    assert len(protocol.store) == 0
    protocol.refusal(call, "No.")
    assert len(protocol.store) == 0
