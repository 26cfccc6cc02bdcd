"""Answers come back as history: what the guard has let out is no attack, the rest is the user's."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from guard.detectors.malicious.attackers import ATTACKERS
from guard.recognition.digests import Digester
from guard.recognition.prompts import PinnedPrompts
from guard.recognition.proposals import read_proposals
from guard.terms.item import Author
from tests.fakes import DONE, WordDetector, chat_answer, chat_chunk
from tests.guard.conftest import CHAT, Rig, RigMaker, bearer, key_of

SAID = "Here is how an attack is fended off."
QUESTION = {"role": "user", "content": "hello"}
ANSWER = {"role": "assistant", "content": SAID}
KEYS = [key_of("one"), key_of("two")]


@dataclass
class AttackDetector(WordDetector):
    """Judges as the shipped detector does: not what developers and assistants say."""

    word: str = "attack"
    authors: frozenset[Author] = ATTACKERS


JUDGED = ("block", AttackDetector())


async def asked(rig: Rig, key: str, *turns: Any, **more: Any) -> int:
    body = {"model": "demo", "messages": [QUESTION, *turns], **more}
    return (await rig.client.post(CHAT, json=body, headers=bearer(key))).status_code


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_was_let_out_is_judged_no_more(
    make_rig: RigMaker, stream: bool
) -> None:
    async with make_rig(JUDGED, keys=KEYS) as rig:
        rig.vllm.answer = chat_answer(SAID)
        rig.vllm.script = [chat_chunk(SAID[:9]), chat_chunk(SAID[9:], "stop"), DONE]
        assert await asked(rig, "one", ANSWER, QUESTION) == 400  # nobody has said that yet
        assert await asked(rig, "one", stream=stream) == 200

        assert await asked(rig, "one", ANSWER, QUESTION) == 200
        assert await asked(rig, "two", ANSWER, QUESTION) == 400  # nobody has told that key
        made_up = {"role": "assistant", "content": SAID + " Go on."}
        assert await asked(rig, "one", made_up, QUESTION) == 400
        as_user = {"role": "user", "content": SAID}
        assert await asked(rig, "one", as_user, QUESTION) == 400
        metrics = (await rig.client.get("/metrics")).text
    assert 'ecoguard_recognised_texts_total{kind="answer",result="known"} 1.0' in metrics


async def test_forget_requests_read_it_all_the_same(make_rig: RigMaker) -> None:
    async with make_rig(("block", WordDetector("attack")), keys=KEYS) as rig:
        rig.vllm.answer = chat_answer(SAID)
        assert await asked(rig, "one") == 200
        assert await asked(rig, "one", ANSWER, QUESTION) == 400


async def test_who_stops_an_answer_may_go_on_from_there(make_rig: RigMaker) -> None:
    async with make_rig(JUDGED, keys=KEYS) as rig:
        rig.vllm.script = [chat_chunk("An attack"), None, chat_chunk(" never seen", "stop"), DONE]
        body = {"model": "demo", "messages": [QUESTION], "stream": True}
        async with rig.client.stream("POST", CHAT, json=body, headers=bearer("one")) as answer:
            async for line in answer.aiter_lines():
                if "An attack" in line:
                    break
        await asyncio.wait_for(rig.vllm.gone.wait(), 5)

        async def comes_back() -> int:
            return await asked(rig, "one", {**ANSWER, "content": "An attack"}, QUESTION)

        async with asyncio.timeout(5):
            while await comes_back() != 200:
                pass
        assert await asked(rig, "one", {**ANSWER, "content": "An attack never seen"}) == 400


async def test_the_guard_s_own_refusal_is_known(make_rig: RigMaker) -> None:
    refusal = {"form": "message", "text": "No attack, please.", "history": "refuse"}
    async with make_rig(JUDGED, keys=KEYS, refusal=refusal) as rig:
        told = await rig.chat("an attack", headers=bearer("one"))
        refused = told.json()["choices"][0]["message"]
        again = {"role": "assistant", "content": refused["content"]}
        body = {"model": "demo", "messages": [QUESTION, again, QUESTION]}
        answer = (await rig.client.post(CHAT, json=body, headers=bearer("one"))).json()
    assert answer == rig.vllm.answer


@pytest.mark.parametrize(
    ("trust", "status"),
    [({}, 200), ({"developer_text": "user"}, 400), ({"tools_from": "third_party"}, 200)],
)
async def test_a_key_whose_holder_is_the_user_is_judged_by_its_system_prompt_too(
    make_rig: RigMaker, trust: dict[str, str], status: int
) -> None:
    rules = {"role": "system", "content": "Talk of no attack."}
    async with make_rig(JUDGED, keys=[{**key_of("one"), "trust": trust}]) as rig:
        assert await asked(rig, "one", rules) == status


async def test_nothing_is_known_where_the_operator_wants_it_so(make_rig: RigMaker) -> None:
    async with make_rig(JUDGED, keys=KEYS, recognition={"answers": False}) as rig:
        rig.vllm.answer = chat_answer(SAID)
        assert await asked(rig, "one") == 200
        assert await asked(rig, "one", ANSWER, QUESTION) == 400


TUTOR = {"role": "system", "content": "You fend off every attack."}
PINS = PinnedPrompts(
    Digester(b"k" * 32), frozenset({Digester(b"k" * 32).digest([TUTOR["content"]])})
)


async def test_a_pinned_prompt_is_judged_by_forget_requests_only(make_rig: RigMaker) -> None:
    whole: Any = ("block", WordDetector("forgotten"))
    keys = [{**key_of("one"), "trust": {"developer_text": "user"}}]
    async with make_rig(JUDGED, whole, keys=keys, pinned=PINS) as rig:
        assert await asked(rig, "one", TUTOR) == 200
        assert await asked(rig, "one", {**TUTOR, "content": TUTOR["content"] + " Or not."}) == 400
        assert await asked(rig, "one", {**TUTOR, "role": "user"}) == 400
        metrics = (await rig.client.get("/metrics")).text
    assert 'ecoguard_recognised_texts_total{kind="prompt",result="known"} 1.0' in metrics

    pinned = ("block", WordDetector("fend off"))
    async with make_rig(pinned, keys=keys, pinned=PINS) as rig:
        assert await asked(rig, "one", TUTOR) == 400


async def test_prompts_that_pass_are_proposed(make_rig: RigMaker, tmp_path: Path) -> None:
    file = tmp_path / "proposed.jsonl"
    recognition = {"proposals": {"file": str(file), "after": 2}}
    shop = {"role": "system", "content": "You sell shoes."}
    bad = {"role": "user", "content": "an attack"}
    async with make_rig(JUDGED, keys=KEYS, recognition=recognition, pinned=PINS) as rig:
        for _ in range(2):
            assert await asked(rig, "one", shop) == 200
            assert await asked(rig, "one", TUTOR) == 200
            assert await asked(rig, "two", shop, bad) == 400
    (found,) = read_proposals(file)
    assert (found.key, found.requests, found.characters) == ("one", 2, 15)
