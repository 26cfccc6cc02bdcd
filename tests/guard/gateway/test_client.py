"""Who asks: what is taken down of verdicts that come late."""

import asyncio

import pytest

from guard.gateway.client import Client
from guard.terms.entry import Entry
from guard.terms.verdict import Action, Finding, Verdict


def found(policy: str, *, shadow: bool = False) -> Finding:
    return Finding(policy, "words", Action.BLOCK, 0.9, 0.5, (0,), shadow=shadow)


LONGER = Verdict((found("of all turns"),))
SHORTER = Verdict()
SHADOW = found("new", shadow=True)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in turn", "the first one last"])
async def test_a_late_verdict_of_a_longer_chat_has_no_place(order: tuple[int, int]) -> None:
    client = Client("shop", {}, Entry("r1", "/v1/chat/completions"))
    loop = asyncio.get_running_loop()
    wholes = [Verdict((*acting.findings, SHADOW)) for acting in (LONGER, SHORTER)]
    judgements: list[asyncio.Future[Verdict]] = []
    for acting in (LONGER, SHORTER):
        client.entry.verdicts["prompt"] = acting
        judgements.append(loop.create_future())
        client.await_shadows(judgements[-1], "prompt", acting)

    judged = asyncio.Event()
    client.entry.when_judged(judged.set)
    for number in order:
        judgements[number].set_result(wholes[number])
    await judged.wait()

    assert client.entry.verdicts == {"prompt": wholes[1]}
