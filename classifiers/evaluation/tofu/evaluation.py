"""TOFU through the live proxy, under every corruption in process, and on vLLM without a guard.

The first questions of each set are asked of the unguarded model and the proxy in turn, one at a
time, so that latencies compare.
Teacher-forced scores come from the requests that the proxy's own code makes in this process.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.evaluation.asking import Asked, Found, in_parts
from classifiers.evaluation.tofu.data import SETS, SetName, TofuData, TofuRow
from classifiers.evaluation.tofu.row_logs import Logs, RowLog, RowScores
from classifiers.evaluation.tofu.ways import PROXY, RETAIN, SERVED, Gate, Way, asked, same
from classifiers.runs.step_progress import Progress
from classifiers.statistics.unlearning_metrics import AnswerScore

TIMED_ROWS = 50


@dataclass(frozen=True, slots=True)
class Models:
    """Who is asked; `retain` is None where only its logs are at hand."""

    direct: Asked
    proxy: Asked
    retain: Asked | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One question's greedy answers without and with the proxy, and how long each took."""

    direct: str
    proxy: str
    direct_s: float
    proxy_s: float

    @property
    def same(self) -> bool:
        """Whether the proxy changed nothing."""
        return self.direct == self.proxy


@dataclass(frozen=True, slots=True)
class Measured:
    """All logs by way of asking; the paper's variant of the first `len` forget rows apart.

    `gate` counts, by set, the questions that the guard corrupts or blocks; the first `timed_rows`
    of each set were asked one at a time.
    """

    logs: Mapping[str, Logs]
    answers_too: Mapping[str, Sequence[RowScores]]
    compared: Mapping[SetName, Sequence[Compared]]
    gate: Mapping[SetName, int]
    timed_rows: int


@dataclass(slots=True)
class Evaluation:
    """Runs the ways over the sets; `rows_with_answers` forget rows get the paper's variant.

    Of the first `timed_rows` rows of each set the times of proxy and direct model are compared.
    """

    data: TofuData
    models: Models
    gate: Gate
    ways: Sequence[Way]
    rows_with_answers: int = 0
    timed_rows: int = TIMED_ROWS
    report: Progress = lambda _stage, _done, _total: None
    _logs: dict[str, dict[SetName, list[RowLog]]] = field(default_factory=dict)

    def run(self, retain_logs: Logs | None = None) -> Measured:
        """Measure everything; what was asked before is not asked again."""
        fired = self._fired()
        compared = {name: self._compare(name) for name in SETS}
        for way in self.ways:
            self._measure(self.models.direct, way)
        if self.models.retain is not None:
            self._measure(self.models.retain, Way(RETAIN, same))
        logs: dict[str, Logs] = dict(self._logs)
        if self.models.retain is None and retain_logs is not None:
            logs[RETAIN] = retain_logs
        # The proxy's own words, with the scores of the requests that it makes.
        logs[PROXY] = {
            name: [
                RowLog(answer.proxy, log.scores)
                for answer, log in zip(compared[name], logs[SERVED][name], strict=True)
            ]
            for name in SETS
        }
        return Measured(logs, self._answers_too(), compared, fired, self.timed_rows)

    def _compare(self, name: SetName) -> list[Compared]:
        """The timed rows one at a time, in turn; the others as many at a time as may be."""
        rows, stage = self.data.sets[name], f"{name}: proxy and direct"
        found = []
        for done, row in enumerate(rows[: self.timed_rows]):
            self.report(stage, done, len(rows))
            found.append(self._pair(row))
        return found + self._in_parts(stage, self._pair, rows[self.timed_rows :])

    def _pair(self, row: TofuRow) -> Compared:
        direct = self.models.direct.generate(asked(row.question))
        proxy = self.models.proxy.generate(asked(row.question))
        return Compared(direct.text, proxy.text, direct.seconds, proxy.seconds)

    def _row_logs(self, model: Asked, way: Way, name: SetName) -> list[RowLog]:
        ask = functools.partial(_row_log, model, way)
        return self._in_parts(f"{name}: {way.name}", ask, self.data.sets[name])

    def _in_parts(
        self, stage: str, ask: Callable[[TofuRow], Found], rows: Sequence[TofuRow]
    ) -> list[Found]:
        return in_parts(self.models.direct.endpoint, stage, ask, rows, self.report)

    def _measure(self, model: Asked, way: Way) -> None:
        self._logs[way.name] = {name: self._row_logs(model, way, name) for name in SETS}

    def _answers_too(self) -> dict[str, list[RowScores]]:
        """The paper's variant, of ways that have one: a request for every token of every answer."""
        rows = self.data.sets["forget"][: self.rows_with_answers]
        found: dict[str, list[RowScores]] = {}
        for way in self.ways:
            if not rows or not any(way.corruptor(row.question) for row in rows):
                continue
            ask = functools.partial(_corrupted_scores, self.models.direct, way)
            found[way.name] = self._in_parts(f"answers corrupted too: {way.name}", ask, rows)
        return found

    def _fired(self) -> dict[SetName, int]:
        return {
            name: sum(self.gate.fires(row.question) for row in self.data.sets[name])
            for name in SETS
        }


def _row_log(model: Asked, way: Way, row: TofuRow) -> RowLog:
    chat = way.chat(row.question)
    if chat is None:
        return RowLog(way.refusal)
    return RowLog(model.generate(chat).text, _scores(lambda answer: model.score(chat, answer), row))


def _corrupted_scores(model: Asked, way: Way, row: TofuRow) -> RowScores:
    corruptor = way.corruptor(row.question)
    if corruptor is None:
        return _scores(lambda answer: model.score(same(row.question), answer), row)
    messages = asked(row.question)
    return _scores(lambda answer: model.score_corrupted(messages, answer, corruptor), row)


def _scores(score: Callable[[str], AnswerScore], row: TofuRow) -> RowScores:
    return RowScores(
        answer=score(row.answer),
        correct=score(row.correct),
        perturbed=tuple(score(wrong) for wrong in row.perturbed_answer),
    )
