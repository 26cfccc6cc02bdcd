"""How a corruption is searched: by which optimiser, on what, and what counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.corruption.measures import (
    FAMILIES,
    MAX_TOKENS,
    SCALES,
    WEIGHTS,
    Measurer,
    family,
    measurable,
)
from classifiers.corruption.optimizers import DEFAULT
from classifiers.corruption.questions import ForgetQuestion
from classifiers.corruption.search import SearchPlan
from classifiers.model_server.endpoint import ModelEndpoint
from classifiers.model_server.sampling import Sampling
from guard.corruption.functions import Corruption
from guard.terms.corruption import CORRUPTION_KINDS, CorruptedTokens
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CorruptionRecipe:
    """How a corruption is searched. `questions` of the search are a part of all (0: all of them);
    `keys` other noise keys give the winner's spread. Metrics of weight 0 are not asked for, those
    of sampled answers only with `sampling`. `tokens` are those that serving is to corrupt."""

    optimizer: str = DEFAULT
    plan: SearchPlan = field(default_factory=SearchPlan)
    kinds: tuple[str, ...] = CORRUPTION_KINDS
    start: Corruption | None = None
    questions: int = 20
    keys: int = 3
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    scales: Mapping[str, float] = field(default_factory=lambda: dict(SCALES))
    max_tokens: int = MAX_TOKENS
    sampling: Sampling | None = None
    seed: int = 0
    tokens: CorruptedTokens = "names"

    def metrics(self, questions: Sequence[ForgetQuestion]) -> tuple[str, ...]:
        """What is measured; ConfigError where nothing has a weight."""
        for name, weight in self.weights.items():
            if name not in FAMILIES or not weight >= 0:
                raise ConfigError(f"weight: {name}={weight:g}: expected {', '.join(FAMILIES)} >= 0")
        able = measurable(questions, samples=self.sampling is not None)
        chosen = tuple(m for m in able if self.weights.get(family(m), 0.0) > 0)
        if not chosen:
            raise ConfigError("weight: no metric has one that these questions can measure")
        return chosen

    def measurer(self, endpoint: ModelEndpoint, metrics: Sequence[str]) -> Measurer:
        """What asks an endpoint for these metrics."""
        return Measurer(endpoint, metrics, self.max_tokens, self.sampling)
