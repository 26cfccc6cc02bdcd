"""Asks one model for an evaluation, never the same thing twice: answers are kept as they come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from classifiers.corruption.corrupted_chat import ChatCorruptor
from classifiers.evaluation.kept_answers import KeptAnswers
from classifiers.model_server.endpoint import Chat, Messages, ModelEndpoint
from classifiers.runs.step_progress import Progress
from classifiers.statistics.unlearning_metrics import AnswerScore

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Generated:
    """Answers to one question, and the seconds they took when they were first asked for."""

    texts: tuple[str, ...]
    seconds: float

    @property
    def text(self) -> str:
        """The first answer, without white space around it."""
        return self.texts[0].strip()


class Asked:
    """A model behind an endpoint, in its role in the evaluation: "direct", "proxy", "retain".

    Roles, not addresses, find kept answers: a restarted server has another port. What is not
    corrupted is asked as it stands, so all guarded ways of asking share the direct model's answers.
    """

    def __init__(
        self, endpoint: ModelEndpoint, role: str, kept: KeptAnswers, max_tokens: int
    ) -> None:
        self.endpoint = endpoint
        self._role = role
        self._kept = kept
        self._max_tokens = max_tokens

    def limited(self, max_tokens: int) -> "Asked":
        """The same model with another bound on its answers."""
        return Asked(self.endpoint, self._role, self._kept, max_tokens)

    def generate(
        self,
        chat: Chat | Messages,
        *,
        n: int = 1,
        temperature: float = 0.0,
        seed: int = 0,
        fields: Mapping[str, Any] | None = None,
    ) -> Generated:
        """`n` answers; greedy unless a temperature is given. `fields` are what else is said."""
        sampling: dict[str, Any] = {"n": n, "temperature": temperature, "seed": seed}
        sampling["most"] = self._max_tokens
        if fields:  # answers that were kept without any are found again
            sampling["fields"] = dict(fields)
        question = {**self._question("generate", chat), **sampling}
        answer = self._kept.find_answer(question)
        if answer is None:
            started = perf_counter()
            texts = self.endpoint.generate(
                chat, self._max_tokens, n=n, temperature=temperature, seed=seed, fields=fields
            )
            answer = {"texts": texts, "seconds": perf_counter() - started}
            self._kept.keep_answer(question, answer)
        return Generated(tuple(answer["texts"]), float(answer["seconds"]))

    def score(self, chat: Chat | Messages, answer: str) -> AnswerScore:
        """How likely an answer is, end of turn included (TOFU scores it too)."""
        question = {**self._question("score", chat), "answer": answer}
        found = self._kept.find_answer(question)
        if found is None:
            # A chat without embeddings is asked as messages: any vocabulary will do for it.
            plain = isinstance(chat, Chat) and chat.sent == chat.plain
            logprobs = self.endpoint.answer_logprobs(
                chat.plain if isinstance(chat, Chat) and plain else chat, answer, end_of_turn=True
            )
            found = {"logprob": float(logprobs.mean()), "tokens": len(logprobs)}
            self._kept.keep_answer(question, found)
        return AnswerScore(float(found["logprob"]), int(found["tokens"]))

    def score_corrupted(self, messages: Messages, answer: str, how: ChatCorruptor) -> AnswerScore:
        """As `score`, with the answer corrupted too: a request for each of its tokens."""
        question = {
            **self._question("score corrupted", how.chat(messages)),
            "answer": answer,
            "corruption": repr(how.corruption),
        }
        found = self._kept.find_answer(question)
        if found is None:
            logprobs = how.answer_logprobs(
                self.endpoint, messages, answer, end_of_turn=True, corrupt_answer=True
            )
            found = {"logprob": float(logprobs.mean()), "tokens": len(logprobs)}
            self._kept.keep_answer(question, found)
        return AnswerScore(float(found["logprob"]), int(found["tokens"]))

    def _question(self, kind: str, chat: Chat | Messages) -> dict[str, Any]:
        sent = chat.sent if isinstance(chat, Chat) else chat
        return {"kind": kind, "role": self._role, "messages": list(sent)}


def in_parts(
    endpoint: ModelEndpoint,
    stage: str,
    ask: Callable[[Item], Found],
    items: Sequence[Item],
    report: Progress,
) -> list[Found]:
    """`ask` of each item, results in order; as many at a time as the endpoint has connections.

    Told to `report` in parts of twice that many: each part waits for its slowest.
    """
    found: list[Found] = []
    step = 2 * endpoint.connections
    for start in range(0, len(items), step):
        report(stage, start, len(items))
        found += endpoint.each(ask, items[start : start + step])
    return found
