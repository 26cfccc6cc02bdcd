"""All texts that a process knows; they outlive a reload of its configuration."""

from dataclasses import dataclass
from typing import Self

from guard.observability.metrics import Metrics
from guard.observability.recognition_series import RecognitionSeries
from guard.recognition.answers import KnownAnswers
from guard.recognition.digests import Digester
from guard.recognition.proposals import Proposer
from guard.recognition.recent import RecentDigests
from guard.settings import Settings


@dataclass(frozen=True, slots=True)
class KnownTexts:
    """The answers that the guard has let out, and what counts prompts that could be pinned."""

    answers: KnownAnswers
    series: RecognitionSeries
    proposer: Proposer | None = None

    @classmethod
    def open(cls, settings: Settings, metrics: Metrics) -> Self:
        """What a process knows when it starts; ConfigError for a secret that is too short."""
        section = settings.recognition
        recent = RecentDigests(section.answer_parts, section.answers_s)
        answers = KnownAnswers(Digester.of(section, "answers"), recent, metrics)
        proposer = Proposer(section.proposals) if section.proposals else None
        return cls(answers, metrics.recognition, proposer)

    async def close(self) -> None:
        """Write what is not written yet."""
        if self.proposer:
            await self.proposer.close()
