"""The same questions to vLLM directly, through EcoGuard, and to the twin that never learned."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import aiohttp

from lab.demo.questions import Group, QuestionAnswer, mentions

MOST_TOKENS = 48


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs, without `/v1`."""

    direct: str
    guarded: str
    twin: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and after how many seconds."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One question and its three answers."""

    row: QuestionAnswer
    direct: Answer
    guarded: Answer
    twin: Answer


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """Rates in [0, 1] over a group's questions; latency in seconds, the median difference."""

    group: Group
    questions: int
    leak_direct: float
    leak_guarded: float
    leak_twin: float
    rouge_direct: float
    rouge_guarded: float
    rouge_twin: float
    identical: float
    added_latency: float


async def ask(session: aiohttp.ClientSession, base: str, question: str) -> Answer:
    """One greedy answer from a chat endpoint; raises aiohttp.ClientError when it is refused."""
    body = {
        "model": "demo",
        "messages": [{"role": "user", "content": question}],
        "temperature": 0,
        "max_tokens": MOST_TOKENS,
    }
    started = perf_counter()
    async with session.post(f"{base}/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        answer = await response.json()
    text = answer["choices"][0]["message"]["content"] or ""
    return Answer(text.strip(), perf_counter() - started)


async def compare(rows: Sequence[QuestionAnswer], endpoints: Endpoints) -> list[Compared]:
    """Every question to all three, one at a time so that latencies mean something."""
    compared = []
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        # What only the first request pays for must not count as the guard's latency.
        await asyncio.gather(
            *(ask(session, base, "Hello!") for base in (endpoints.direct, endpoints.guarded))
        )
        for row in rows:
            direct = await ask(session, endpoints.direct, row.question)
            guarded = await ask(session, endpoints.guarded, row.question)
            twin = await ask(session, endpoints.twin, row.question)
            compared.append(Compared(row, direct, guarded, twin))
    return compared


def leaks(row: QuestionAnswer, answer: Answer) -> bool:
    """Whether the answer names the gold entity, as a whole word in any case."""
    return mentions(answer.text, row.entity)


def summarise(group: Group, compared: Sequence[Compared]) -> GroupSummary:
    """The figures of one group; ROUGE-L recall is TOFU's (stemmed, against the gold answer)."""
    chosen = [item for item in compared if item.row.group == group]
    count = len(chosen)
    return GroupSummary(
        group=group,
        questions=count,
        leak_direct=sum(leaks(item.row, item.direct) for item in chosen) / count,
        leak_guarded=sum(leaks(item.row, item.guarded) for item in chosen) / count,
        leak_twin=sum(leaks(item.row, item.twin) for item in chosen) / count,
        rouge_direct=_recall([(item.row.answer, item.direct.text) for item in chosen]),
        rouge_guarded=_recall([(item.row.answer, item.guarded.text) for item in chosen]),
        rouge_twin=_recall([(item.row.answer, item.twin.text) for item in chosen]),
        identical=sum(item.direct.text == item.guarded.text for item in chosen) / count,
        added_latency=median(item.guarded.seconds - item.direct.seconds for item in chosen),
    )


def _recall(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean ROUGE-L recall of (gold, answer) pairs."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    scores = [scorer.score(gold, answer)["rougeL"].recall for gold, answer in pairs]
    return float(sum(scores) / len(scores))
