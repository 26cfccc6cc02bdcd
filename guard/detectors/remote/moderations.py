"""OpenAI's `/v1/moderations`, and servers that speak it: a score for each category."""

from collections.abc import Mapping, Sequence

from guard.detectors.remote.failures import RemoteError
from guard.detectors.remote.question import Answer, Api, Question, read_answer
from guard.detectors.remote.servers import Servers
from guard.settings import RemoteDetector
from guard.terms.json import JsonObject

PATH = "/v1/moderations"
MOST_TEXTS = 32


class Moderated(Answer):
    """One text's scores by category."""

    category_scores: dict[str, float]


class ModerationsAnswer(Answer):
    """The whole answer. Its `model` may be the full name of an alias that was asked for."""

    results: list[Moderated]


class Moderations(Api):
    """Scores a text by its highest category."""

    most_questions = MOST_TEXTS

    def __init__(self, settings: RemoteDetector, servers: Servers) -> None:
        self._servers = servers
        self._model = settings.model
        self._categories = settings.unsafe
        self.identity: Mapping[str, object] = {
            "api": settings.api,
            "model": settings.model,
            "unsafe": settings.unsafe,
        }

    async def scores(self, questions: Sequence[Question]) -> list[float]:
        """As `Api.scores`."""
        body: JsonObject = {"input": [question.text for question in questions]}
        if self._model:
            body["model"] = self._model
        answer = read_answer(ModerationsAnswer, await self._servers.post(PATH, body))
        if len(answer.results) != len(questions):
            raise RemoteError("unreadable", "an answer with results of other texts than were sent")
        return [self._score(result.category_scores) for result in answer.results]

    def _score(self, scores: Mapping[str, float]) -> float:
        names = self._categories or tuple(scores)
        if not names or not all(name in scores and 0 <= scores[name] <= 1 for name in names):
            raise RemoteError("unreadable", "an answer without a score of a category that counts")
        return max(scores[name] for name in names)
