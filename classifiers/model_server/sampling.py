"""How many answers are drawn to a question, and from which random numbers."""

from dataclasses import dataclass

from classifiers.prompts.files import drawn_for


@dataclass(frozen=True, slots=True)
class Sampling:
    """`samples` answers at `temperature`, at once; `seed` decides them."""

    samples: int = 20
    temperature: float = 0.8
    seed: int = 0

    def seed_for(self, text: str) -> int:
        """A question's own seed: the same whoever is asked, and however it is corrupted."""
        return int(drawn_for(text, self.seed).integers(1 << 31))
