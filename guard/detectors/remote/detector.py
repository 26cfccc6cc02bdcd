"""A classifier or guard model behind servers, as screening's detector."""

import asyncio
import hashlib
from collections.abc import Coroutine, Mapping, Sequence
from copy import copy

import numpy as np
import orjson

from guard.detectors.context import Context
from guard.detectors.malicious.attackers import ATTACKERS
from guard.detectors.remote.calibration import PROBE_TEXTS, RemoteCalibration
from guard.detectors.remote.classify import Classify
from guard.detectors.remote.failures import RemoteError
from guard.detectors.remote.label_logprobs import LabelLogprobs
from guard.detectors.remote.moderations import Moderations
from guard.detectors.remote.presets import (
    Preset,
    preset_of_words,
    read_preset,
    shipped_preset,
)
from guard.detectors.remote.question import Api, Question
from guard.detectors.remote.servers import Servers
from guard.settings import RemoteDetector, configured_secret
from guard.terms.conversation import Asked, LastTurn, Said, latest, turns_of
from guard.terms.detector import Detector, Scores, WindowSize
from guard.terms.errors import about
from guard.terms.item import Call
from guard.upstream.certificates import client_context

SHORT, LONG = 800, 4000
"""Characters that are asked about at once: of encoders, which read 512 tokens, and of others."""
LEAST_SPLIT = 64
"""Characters below which a text that a server refuses is not refused for its length."""


class RemoteModel(Detector):
    """Asks servers for the scores of texts; holds no thread meanwhile.

    `version` follows from everything that decides a score: the way to ask, the model's name, the
    preset, and for an answer what it answers.
    """

    waits = True
    authors = ATTACKERS

    def __init__(
        self, api: Api, servers: Servers, *, characters: int, timeout_s: float, most_questions: int
    ) -> None:
        self.window_sizes = (WindowSize(characters, characters // 4),)
        self.timeout_s = timeout_s
        self.most_questions = most_questions
        self.sides = api.sides
        self.turns_before = characters if api.reads_conversation else 0
        self.identity = {**api.identity, "characters": characters}
        self.version = _digest(self.identity)
        self._api = api
        self._servers = servers
        self._characters = characters
        self._answers: tuple[Said, ...] | None = None
        self._calibrated: RemoteCalibration | None = None
        self._origin: Detector | None = None

    def calibrate(self, calibrated: RemoteCalibration) -> None:
        """Take thresholds and p-values, and trust servers that score the probes as they did."""
        self._calibrated = calibrated
        self.threshold = calibrated.thresholds.lowest
        self.thresholds = calibrated.thresholds if calibrated.thresholds.vary else None
        self.calibration = calibrated.calibration
        self.version = _digest({"detector": self.version, "calibrated": calibrated.digest})

    def about(self, call: Call) -> Detector:
        """What judges the answer to `call`: together with what was asked, where the model can."""
        if not self._api.reads_question:
            return self
        turns = tuple(turns_of(call.items))
        if not self._api.reads_conversation:
            turns = tuple(turn for turn in turns if turn.role == "user")[-1:]
        found = copy(self)
        found._origin = self
        found.thresholds = found.calibration = None  # they are of prompts
        found.turns_before = 0
        found._answers = latest(turns, self._characters)
        found.version = _digest({"detector": self.version, "answers": [*map(list, found._answers)]})
        return found

    @property
    def asks_as(self) -> Detector:
        """Itself, or the detector whose answers it judges: they share its places."""
        return self._origin or self

    async def ask(self, contents: Sequence[Asked]) -> Scores:
        """Scores in [0, 1], shape (n,), of n texts; raises RemoteError."""
        calibrated = self._calibrated
        if calibrated is None:
            return await self._asked([self._question(content) for content in contents])
        try:
            if calibrated.is_due:
                calibrated.check(await self.probe())
            return await self._asked([self._question(content) for content in contents])
        except RemoteError:
            calibrated.distrust()
            raise

    async def probe(self) -> Scores:
        """The scores of the probes, shape (number of probes,); raises RemoteError."""
        return await self._asked([Question(text) for text in PROBE_TEXTS])

    async def _asked(self, questions: Sequence[Question]) -> Scores:
        step = self._api.most_questions
        batches = [questions[at : at + step] for at in range(0, len(questions), step)]
        found = await _gathered([self._scores(batch) for batch in batches])
        return np.array([score for scores in found for score in scores], dtype=np.float32)

    async def disconnect(self) -> None:
        """Let the connections of the running loop end."""
        await self._servers.disconnect()

    def _question(self, content: Asked) -> Question:
        if isinstance(content, LastTurn):
            return Question(content.text, content.before)
        if self._answers is None:
            return Question(str(content))
        return Question(str(content), self._answers, "answer")

    async def _scores(self, questions: Sequence[Question]) -> list[float]:
        """As `Api.scores`; a text that the servers find too long is asked about in halves."""
        try:
            return await self._api.scores(questions)
        except RemoteError as error:
            if not error.is_too_long:
                raise
            if len(questions) > 1:
                return [
                    score
                    for scores in await _gathered([self._scores([each]) for each in questions])
                    for score in scores
                ]
            halves = _halves(questions[0])
            if not halves:
                raise
        found = await _gathered([self._scores([half]) for half in halves])
        return [max(score for scores in found for score in scores)]


def load(source: RemoteDetector, context: Context) -> RemoteModel:
    """The detector of a section of kind `remote`; ConfigError about the key that is wrong."""
    here = ("detectors", context.name)
    servers = Servers(
        source,
        configured_secret(source.api_key_env, *here, "api_key_env"),
        client_context(source.tls, ".".join((*here, "tls"))),
    )
    model = RemoteModel(
        _api(source, servers, here),
        servers,
        characters=source.window_characters or (SHORT if source.api == "classify" else LONG),
        timeout_s=source.timeout_s,
        most_questions=source.concurrency,
    )
    if source.path is not None:
        with about(*here, "path"):
            model.calibrate(RemoteCalibration.load(source.path, model.version))
    return model


def _api(source: RemoteDetector, servers: Servers, here: tuple[str, ...]) -> Api:
    match source.api:
        case "classify":
            return Classify(source, servers)
        case "moderations":
            return Moderations(source, servers)
        case "label-logprobs":
            return LabelLogprobs(source, servers, _preset(source, here))


def _preset(source: RemoteDetector, here: tuple[str, ...]) -> Preset:
    if source.preset is not None:
        with about(*here, "preset"):
            return shipped_preset(source.preset)
    if source.preset_file is not None:
        with about(*here, "preset_file"):
            return read_preset(source.preset_file)
    return preset_of_words(source.unsafe or (), source.safe or ())


def _halves(question: Question) -> list[Question]:
    """A text in two that overlap by a quarter; none where it is too short for that."""
    text, size = question.text, len(question.text)
    if size < 2 * LEAST_SPLIT:
        return []
    ends = text[: size // 2 + size // 8], text[size // 2 - size // 8 :]
    return [Question(end, question.before, question.side) for end in ends]


async def _gathered(asked: Sequence[Coroutine[None, None, list[float]]]) -> list[list[float]]:
    """All scores; with the first failure the others are asked no more, and it is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in asked]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _digest(identity: Mapping[str, object]) -> str:
    return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()
