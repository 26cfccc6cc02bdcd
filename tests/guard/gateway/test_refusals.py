"""What becomes of a chat in which an earlier turn is blocked."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes import WordDetector
from tests.guard.conftest import CHAT, Rig, RigMaker
from tests.guard.store.records import audit_rows

Message = dict[str, Any]

SYSTEM: Message = {"role": "system", "content": "You are a clerk."}
BLOCKED: list[Message] = [
    {"role": "user", "content": "an attack on the model"},
    {"role": "assistant", "content": "No."},
]
HARMLESS: list[Message] = [
    {"role": "user", "content": "Good morning."},
    {"role": "assistant", "content": "Good morning."},
]
LAST: Message = {"role": "user", "content": "What is the time?"}
CHAT_ON: list[Message] = [SYSTEM, *HARMLESS, *BLOCKED, LAST]
NOTE: Message = {"role": "user", "content": "(gone)"}


async def ask(rig: Rig, messages: list[Message], **fields: Any) -> httpx2.Response:
    """The answer to a chat."""
    body = {"model": "demo", "messages": messages, **fields}
    return await rig.client.post(CHAT, json=body)


@pytest.mark.parametrize(
    ("refusal", "forwarded"),
    [
        ({"form": "message"}, [SYSTEM, *HARMLESS, LAST]),
        ({"form": "error", "history": "cut"}, [SYSTEM, *HARMLESS, LAST]),
        ({"history": "note", "note": "(gone)"}, [SYSTEM, *HARMLESS, NOTE, LAST]),
        # A note that is blocked itself is no way around: the turn goes all the same.
        ({"history": "note", "note": "an attack"}, [SYSTEM, *HARMLESS, LAST]),
    ],
    ids=["by form", "cut", "note", "blocked note"],
)
@pytest.mark.parametrize("early", [False, True])
async def test_a_chat_goes_on_without_the_turn(
    make_rig: RigMaker, refusal: dict[str, str], forwarded: list[Message], early: bool
) -> None:
    rules = ("block", WordDetector("attack"))
    options = {"send_early": early}
    async with make_rig(rules, refusal=refusal, upstream_options=options) as rig:
        response = await ask(rig, CHAT_ON)
        counted = (await rig.client.get("/metrics")).text
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == "Hello."
    assert rig.vllm.requests[-1]["messages"] == forwarded
    assert "ecoguard_shortened_total 0.0" not in counted


@pytest.mark.parametrize(
    ("refusal", "noted"),
    [
        ({"history": "cut"}, [False]),
        ({"history": "note", "note": "(gone)"}, [True]),
        ({"history": "note", "note": "an attack"}, [True, False]),
    ],
    ids=["cut", "note", "blocked note"],
)
async def test_the_audit_row_tells_of_the_turn_and_of_what_fired(
    make_rig: RigMaker, tmp_path: Path, refusal: dict[str, str], noted: list[bool]
) -> None:
    url = f"sqlite:///{tmp_path / 'traffic.db'}"
    rules = ("block", WordDetector("attack"))
    async with make_rig(rules, refusal=refusal, store={"url": url}) as rig:
        await ask(rig, CHAT_ON)
        await ask(rig, [SYSTEM, *HARMLESS, LAST])
    row, other = audit_rows(url)
    cuts = json.loads(row.cuts)
    assert [(cut["turns"], cut["noted"]) for cut in cuts] == [(1, one) for one in noted]
    assert [[found["policy"] for found in cut["findings"]] for cut in cuts] == [["p0"]] * len(noted)
    assert (row.action, json.loads(row.verdicts)) == ("allow", {"prompt": "allow"})
    assert json.loads(other.cuts) == []


@pytest.mark.parametrize("refusal", [{}, {"form": "message", "history": "refuse"}])
async def test_a_chat_is_refused_for_good_where_the_operator_wants_it(
    make_rig: RigMaker, refusal: dict[str, str]
) -> None:
    async with make_rig(("block", WordDetector("attack")), refusal=refusal) as rig:
        response = await ask(rig, CHAT_ON)
    assert "content_filter" in response.text
    assert rig.vllm.requests == []


@pytest.mark.parametrize(
    "messages",
    [
        [SYSTEM, *HARMLESS, BLOCKED[0]],
        [SYSTEM, *BLOCKED, BLOCKED[0]],
        [{"role": "system", "content": "attack"}, *HARMLESS, LAST],
    ],
    ids=["the turn to be answered", "both", "before all turns"],
)
async def test_what_cannot_be_cut_is_refused(make_rig: RigMaker, messages: list[Message]) -> None:
    async with make_rig(("block", WordDetector("attack")), refusal={"history": "cut"}) as rig:
        response = await ask(rig, messages)
    assert response.status_code == 400
    assert rig.vllm.requests == []


async def test_a_text_that_only_the_cut_joins_is_refused(make_rig: RigMaker) -> None:
    """Half before the turn that is cut, half behind it."""
    halves = [{"role": "user", "content": "an att"}, *BLOCKED, {"role": "user", "content": "ack"}]
    async with make_rig(("block", WordDetector("attack")), refusal={"history": "cut"}) as rig:
        response = await ask(rig, halves)
    assert response.status_code == 400 or rig.vllm.requests[-1]["messages"] == [halves[-1]]
