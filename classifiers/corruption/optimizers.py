"""Zeroth-order optimisers, asked for corruptions and told how far each is from the reference.

nevergrad's, by name, over the whole space; the paper's own finite-difference rule, which moves the
strength alone (ECO, arXiv 2406.07933, section 3 and its released code); the paper's fixed settings.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from classifiers.corruption.paper_settings import paper_grid
from classifiers.corruption.search_space import DIGITS, SearchSpace
from guard.corruption.functions import Corruption
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from nevergrad.parametrization.parameter import Parameter

FINITE_DIFFERENCE = "finite-difference"
PAPER = "paper-settings"
DEFAULT = "DiscreteLenglerOnePlusOne"
LEAST_STRENGTH = 1e-8
STEP, RATE, FLOOR = 0.5, 0.2, 0.02
"""Of the finite-difference rule, in units of the strength it starts from: the probe's distance, how
far a slope of one moves it (in squares of that unit), and the least strength."""


class Optimizer(Protocol):
    """Asked and told in turn; the same answers to the same questions on every run."""

    def ask(self, count: int) -> list[Corruption]:
        """Up to `count` corruptions to measure next, at least one."""
        ...

    def tell(self, distances: Sequence[float]) -> None:
        """How far those last asked for are from the reference, in order."""
        ...


class NevergradOptimizer:
    """An optimiser of nevergrad's registry; raises ConfigError for a name that is not there."""

    def __init__(
        self, name: str, space: SearchSpace, *, budget: int, workers: int, seed: int
    ) -> None:
        import nevergrad

        registry = nevergrad.optimizers.registry
        if name not in registry:
            raise ConfigError(f"optimizer: nevergrad has no {name}")
        self._space = space
        self._optimizer = registry[name](
            space.parametrization(seed), budget=budget, num_workers=workers
        )
        self._asked: list[Parameter] = []

    def ask(self, count: int) -> list[Corruption]:
        """`count` corruptions."""
        self._asked = [self._optimizer.ask() for _ in range(count)]
        return [self._space.corruption(**candidate.kwargs) for candidate in self._asked]

    def tell(self, distances: Sequence[float]) -> None:
        """Told in the order asked, so that a search can be repeated."""
        for candidate, distance in zip(self._asked, distances, strict=True):
            self._optimizer.tell(candidate, distance)


class FiniteDifference:
    """The paper's rule for a scalar strength σ, of noise of a fixed kind on fixed dimensions:

    g = [f(σ+e) - f(max(σ-e, 1e-8))] / 2e, then σ <- max(σ - ηg, floor), with f the distance. As in
    the released code the denominator stays 2e where the left side is clamped.
    """

    def __init__(
        self,
        start: Corruption,
        *,
        step: float | None = None,
        rate: float | None = None,
        floor: float | None = None,
    ) -> None:
        if not start.is_noise:
            raise ConfigError(f"start: {start.kind} has no strength to move")
        self._start = start
        self.strength = start.strength
        self.step = STEP * start.strength if step is None else step
        self.rate = RATE * start.strength**2 if rate is None else rate
        self.floor = FLOOR * start.strength if floor is None else floor

    def ask(self, count: int) -> list[Corruption]:  # noqa: ARG002
        """The two sides, however many are wanted: a step needs both."""
        left = max(self.strength - self.step, LEAST_STRENGTH)
        return [self._at(self.strength + self.step), self._at(left)]

    def tell(self, distances: Sequence[float]) -> None:
        """One step along the slope."""
        above, below = distances
        slope = (above - below) / (2 * self.step)
        self.strength = max(self.strength - self.rate * slope, self.floor)

    def _at(self, strength: float) -> Corruption:
        rounded = float(f"{strength:.{DIGITS}g}")
        return Corruption(self._start.kind, self._start.dims, rounded)


class FixedSettings:
    """Asks for settings one after the other, and then for the same again: a rival to compare with.

    It learns nothing from distances.
    """

    def __init__(self, settings: Sequence[Corruption]) -> None:
        self._settings = settings
        self._at = 0

    def ask(self, count: int) -> list[Corruption]:
        """The next `count`."""
        places = range(self._at, self._at + count)
        self._at += count
        return [self._settings[at % len(self._settings)] for at in places]

    def tell(self, distances: Sequence[float]) -> None:
        """Nothing follows from it."""


def make_optimizer(
    name: str, space: SearchSpace, start: Corruption | None, **how: Any
) -> Optimizer:
    """An optimiser by name: of nevergrad, `finite-difference` from `start`, `paper-settings`."""
    if name == PAPER:
        return FixedSettings(paper_grid(space.width))
    if name == FINITE_DIFFERENCE:
        if start is None:
            raise ConfigError(f"start: {FINITE_DIFFERENCE} needs a kind, dims and strength")
        start.check_width(space.width)
        return FiniteDifference(start)
    return NevergradOptimizer(name, space, **how)
