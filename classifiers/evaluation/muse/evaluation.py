"""Asks a guarded model, the model without a guard and the retain model what MUSE asks.

Texts are asked for as chats, which is how a served model is used: a passage by its beginning
after `Continue this text:`, a question as it stands. Passages are scored as the answer to their
beginning, so that a guard which corrupts prompts is measured on the requests that it makes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from classifiers.evaluation.asking import Asked, Found, Item, in_parts
from classifiers.evaluation.guarded_path import GuardedPath
from classifiers.evaluation.muse.data import MuseData, Passage, Question
from classifiers.evaluation.muse.folds import Stage, passages_of
from classifiers.evaluation.muse.privacy import min_k
from classifiers.evaluation.muse.rows import AskedRow
from classifiers.model_server.endpoint import Chat
from classifiers.runs.step_progress import Progress
from classifiers.statistics.unlearning_metrics import rouge_f1
from guard.corruption.functions import Corruption
from guard.terms.verdict import Action

ANSWER_TOKENS = 32
"""Of an answer to a question: MUSE's."""


Way = Callable[[str], Chat | None]
"""What the model gets for a text; None where the guard refuses."""


@dataclass(frozen=True, slots=True)
class Speakers:
    """One model as it is asked for continuations (128 tokens) and for answers (32)."""

    passages: Asked
    questions: Asked


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way of asking gave: rows by set, and Min-K% of the passages that were scored."""

    rows: Mapping[str, Sequence[AskedRow]]
    min_k: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class StageMeasured:
    """A stage of growing or successive requests: rows of what it asks to forget, and of retain."""

    stage: Stage
    forget: Sequence[AskedRow]
    forget_questions: Sequence[AskedRow]
    retain_questions: Sequence[AskedRow]


def plain(text: str) -> Chat:
    """A chat of one message that goes as it is."""
    messages = [{"role": "user", "content": text}]
    return Chat(messages, messages)


def guarded(path: GuardedPath, corruption: Corruption) -> Way:
    """The chat as the guard's code would send it; None where it blocks."""

    def way(text: str) -> Chat | None:
        judged = path.judge(plain(text).plain)
        if judged.action is Action.BLOCK:
            return None
        return path.corrupted(judged, corruption)

    return way


@dataclass(slots=True)
class Evaluation:
    """Measures ways of asking over the data; `refusal` is what a blocked prompt is answered."""

    data: MuseData
    refusal: str
    report: Progress = lambda _stage, _done, _total: None

    def measure(self, name: str, model: Speakers, way: Way, scored: bool) -> Measured:
        """All five sets; with `scored`, Min-K% of forget and held-out passages too."""
        data = self.data
        passages = {"forget": data.forget, "held_out": data.held_out, "retain": data.retain}
        rows = {
            kind: self.continue_all(f"{name}: {kind}", model, way, texts)
            for kind, texts in passages.items()
        }
        for kind, asked in (
            ("forget_questions", data.forget_questions),
            ("retain_questions", data.retain_questions),
        ):
            rows[kind] = self.answer_all(f"{name}: {kind}", model, way, asked)
        scores = {}
        for kind in ("forget", "held_out") if scored else ():
            stage = f"{name}: Min-K% of {kind}"
            scores[kind] = self._in_parts(
                stage, model, lambda p: _score(model.passages, way, p), passages[kind]
            )
        return Measured(rows, scores)

    def measure_stage(self, model: Speakers, way: Way, stage: Stage, folds: int) -> StageMeasured:
        """What a stage asks to forget, and the questions on retained passages."""
        name = f"{stage.kind} {stage.asked} of {folds}"
        numbers = set(passages_of(self.data, folds, 0, stage.asked))
        passages = [self.data.forget[number] for number in sorted(numbers)]
        questions = [q for q in self.data.forget_questions if q.passage in numbers]
        retained = self.data.retain_questions
        return StageMeasured(
            stage,
            self.continue_all(f"{name}: forget", model, way, passages),
            self.answer_all(f"{name}: forget questions", model, way, questions),
            self.answer_all(f"{name}: retain questions", model, way, retained),
        )

    def continue_all(
        self, stage: str, model: Speakers, way: Way, passages: Sequence[Passage]
    ) -> list[AskedRow]:
        """Greedy continuations of passages."""

        def ask(passage: Passage) -> AskedRow:
            return self._row(model.passages, way, passage.request, passage.continuation)

        return self._in_parts(stage, model, ask, passages)

    def answer_all(
        self, stage: str, model: Speakers, way: Way, questions: Sequence[Question]
    ) -> list[AskedRow]:
        """Greedy answers to questions."""

        def ask(row: Question) -> AskedRow:
            return self._row(model.questions, way, row.question, row.answer)

        return self._in_parts(stage, model, ask, questions)

    def _row(self, model: Asked, way: Way, text: str, gold: str) -> AskedRow:
        chat = way(text)
        said = self.refusal if chat is None else model.generate(chat).text
        changed = chat is None or chat.sent != chat.plain
        return AskedRow(said, gold, rouge_f1(gold, said), changed)

    def _in_parts(
        self, stage: str, model: Speakers, ask: Callable[[Item], Found], items: Sequence[Item]
    ) -> list[Found]:
        return in_parts(model.passages.endpoint, stage, ask, items, self.report)


def _score(model: Asked, way: Way, passage: Passage) -> float:
    """Min-K% of a continuation after its beginning; NaN where the guard blocks it."""
    chat = way(passage.request)
    if chat is None:
        return float("nan")
    return min_k(model.endpoint.answer_logprobs(chat, passage.continuation))
