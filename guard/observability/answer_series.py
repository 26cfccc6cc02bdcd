"""What judging answers costs their readers, and what it keeps from them."""

from prometheus_client import CollectorRegistry, Counter, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CHARACTERS = (25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 51_200)
MODES = ("hold", "tail", "whole")
ENDINGS = ("complete", "stopped", "unjudged", "broken")


class AnswerSeries:
    """Answers that policies judge, by the mode in which they were held back."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "ecoguard_answers_total",
            "Judged answers, by mode and how they ended.",
            ("mode", "ending"),
            registry=registry,
        )
        self.cancelled = Counter(
            "ecoguard_answers_cancelled_total",
            "Streamed answers that the model server was told to end, because all was stopped.",
            registry=registry,
        )
        self.hold_seconds = Histogram(
            "ecoguard_answer_hold_seconds",
            "Time from a streamed answer's first text to the first that was released, by mode.",
            ("mode",),
            buckets=SECONDS,
            registry=registry,
        )
        self.delay_characters = Histogram(
            "ecoguard_answer_delay_characters",
            "Characters that had come in since the flagged passage began, at its verdict, by mode.",
            ("mode",),
            buckets=CHARACTERS,
            registry=registry,
        )
        self.leaked_characters = Counter(
            "ecoguard_answer_leaked_characters_total",
            "Characters of flagged passages that were released before their verdict, by mode.",
            ("mode",),
            registry=registry,
        )
        for mode in MODES:
            self.leaked_characters.labels(mode)
            for ending in ENDINGS:
                self.answers.labels(mode, ending)
