"""vLLM's `/classify`: a sequence classifier's probabilities of its classes.

Served by `vllm serve MODEL --runner pooling --convert classify`.
"""

from collections.abc import Mapping, Sequence

from guard.detectors.remote.failures import RemoteError
from guard.detectors.remote.question import Answer, Api, Question, check_model, read_answer
from guard.detectors.remote.servers import Servers
from guard.settings import RemoteDetector
from guard.terms.json import JsonObject

PATH = "/classify"
MOST_TEXTS = 32
SLACK = 1e-3
"""How far the probabilities of all classes may add up to something else than 1."""


class Classified(Answer):
    """One text's classes: the likeliest, and the probabilities of all in the model's order."""

    index: int
    label: str | None
    probs: list[float]


class ClassifyAnswer(Answer):
    """The whole answer."""

    model: str
    data: list[Classified]


class Classify(Api):
    """Scores a text by the probability of the classes that are bad."""

    def __init__(self, settings: RemoteDetector, servers: Servers) -> None:
        self._model = settings.model
        self._servers = servers
        self._classes = tuple(settings.classes or ())
        self._unsafe = [self._classes.index(name) for name in settings.unsafe or ()]
        self._multi_label = settings.multi_label
        self.reads_conversation = settings.input == "conversation"
        self.reads_question = self.reads_conversation
        self.most_questions = 1 if self.reads_conversation else MOST_TEXTS
        self.identity: Mapping[str, object] = {
            "api": settings.api,
            "model": settings.model,
            "classes": self._classes,
            "unsafe": settings.unsafe,
            "multi_label": settings.multi_label,
            "conversation": self.reads_conversation,
        }

    async def scores(self, questions: Sequence[Question]) -> list[float]:
        """As `Api.scores`."""
        body: JsonObject = {"model": self._model}
        if self.reads_conversation:
            body["messages"] = messages_of(questions[0])
        else:
            body["input"] = [question.text for question in questions]
        answer = read_answer(ClassifyAnswer, await self._servers.post(PATH, body))
        check_model(self._model, answer.model)
        found = sorted(answer.data, key=lambda each: each.index)
        if [each.index for each in found] != list(range(len(questions))):
            raise RemoteError("unreadable", "an answer with classes of other texts than were sent")
        return [self._score(each) for each in found]

    def _score(self, found: Classified) -> float:
        probabilities = found.probs
        self._check(found)
        bad = [probabilities[index] for index in self._unsafe]
        return min(1.0, max(bad) if self._multi_label else sum(bad))

    def _check(self, found: Classified) -> None:
        """RemoteError unless these are probabilities of the classes that are configured."""
        probabilities = found.probs
        if len(probabilities) != len(self._classes):
            said = f"{len(probabilities)} classes, {len(self._classes)} are configured"
            raise RemoteError("other_model", said)
        likeliest = self._classes[probabilities.index(max(probabilities))]
        if found.label is not None and found.label != likeliest:
            raise RemoteError(
                "other_model", "the model has classes of other names, or in another order"
            )
        inside = all(-SLACK <= each <= 1 + SLACK for each in probabilities)
        adds_up = self._multi_label or abs(sum(probabilities) - 1) <= SLACK
        if not (inside and adds_up):
            raise RemoteError("unreadable", "numbers that are no probabilities of classes")


def messages_of(question: Question) -> list[dict[str, str]]:
    """A conversation that ends with the text that is judged."""
    role = "assistant" if question.side == "answer" else "user"
    before = [{"role": turn.role, "content": turn.text} for turn in question.before]
    return [*before, {"role": role, "content": question.text}]
