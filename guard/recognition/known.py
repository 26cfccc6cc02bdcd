"""All texts that a process knows; they outlive a reload of its configuration."""

from dataclasses import dataclass
from typing import Self

from guard.observability.metrics import Metrics
from guard.recognition.answers import KnownAnswers
from guard.recognition.digests import Digester
from guard.recognition.recent import RecentDigests
from guard.settings import Settings


@dataclass(frozen=True, slots=True)
class KnownTexts:
    """The answers that the guard has let out."""

    answers: KnownAnswers

    @classmethod
    def open(cls, settings: Settings, metrics: Metrics) -> Self:
        """What a process knows when it starts; ConfigError for a secret that is too short."""
        section = settings.recognition
        recent = RecentDigests(section.answer_parts, section.answers_s)
        return cls(KnownAnswers(Digester.of(section, "answers"), recent, metrics))
