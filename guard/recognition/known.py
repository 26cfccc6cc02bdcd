"""All texts that a process knows; they outlive a reload of its configuration."""

import asyncio
from dataclasses import dataclass
from typing import Self

from guard.observability.metrics import Metrics
from guard.observability.recognition_series import RecognitionSeries
from guard.recognition.answers import KnownAnswers
from guard.recognition.digests import Digester
from guard.recognition.proposals import Proposer
from guard.recognition.questions import KnownQuestions
from guard.recognition.recent import RecentDigests
from guard.recognition.shared import SharedMemory
from guard.recognition.shared_scores import SharedScores
from guard.settings import Settings
from guard.terms.errors import ConfigError, about

MOST_QUESTIONS = 100_000
"""Most questions whose answers were replaced that a process remembers, some 200 bytes each."""


@dataclass(frozen=True, slots=True)
class KnownTexts:
    """The answers that the guard has let out, questions whose answers were replaced, what counts
    prompts that could be pinned, and what other processes know too."""

    answers: KnownAnswers
    series: RecognitionSeries
    questions: KnownQuestions
    proposer: Proposer | None = None
    shared: SharedMemory | None = None
    scores: SharedScores | None = None

    @classmethod
    def open(cls, settings: Settings, metrics: Metrics) -> Self:
        """What a process knows when it starts; ConfigError for a secret that is too short."""
        section = settings.recognition
        recent = RecentDigests(section.answer_parts, section.answers_s)
        digester, series = Digester.of(section, "answers"), metrics.recognition
        shared = None
        if settings.redis and shares(settings):
            shared = SharedMemory(settings.redis, series)
        asked = RecentDigests(MOST_QUESTIONS, section.answers_s)
        return cls(
            KnownAnswers(digester, recent, metrics, shared, section.answers_s),
            series,
            KnownQuestions(Digester.of(section, "questions"), asked),
            Proposer(section.proposals) if section.proposals else None,
            shared,
            _scores(settings, shared),
        )

    async def close(self) -> None:
        """Write what is not written yet."""
        if self.shared:
            await asyncio.to_thread(self.shared.close)
        if self.proposer:
            await self.proposer.close()


def shares(settings: Settings) -> bool:
    """Whether this process shares what it knows: it needs Redis and the deployment's secret.

    ConfigError where scores are to be shared and there is no secret.
    """
    has_secret = Digester.of(settings.recognition, "scores").shared
    if settings.redis is None or has_secret:
        return has_secret and settings.redis is not None
    if settings.redis.shared_scores:
        with about("redis", "shared_scores"):
            variable = settings.recognition.key_env
            raise ConfigError(f"the environment variable {variable} is not set: scores need it")
    return False


def _scores(settings: Settings, shared: SharedMemory | None) -> SharedScores | None:
    if shared is None or settings.redis is None or not settings.redis.shared_scores:
        return None
    digester = Digester.of(settings.recognition, "scores")
    return SharedScores(shared, digester, settings.redis.scores_s)
