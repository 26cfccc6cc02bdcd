"""What may be set of mode `fine-tuned`; the defaults are those of the shipped detector."""

from dataclasses import asdict, dataclass

from pydantic import JsonValue

from guard.detectors.malicious.text import MOST_MARGIN, MOST_SIZES
from guard.terms.detector import WINDOWS, WindowSize


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How an encoder is trained further, and what of a text the detector reads."""

    soup: int = 3
    """Runs whose weights are averaged, each with the next seed."""
    epochs: int = 1
    rate: float = 1.5e-4
    """The highest learning rate of the tuned layers."""
    batch: int = 32
    """Windows in a step."""
    max_tokens: int = 160
    """Of a window in training; what is longer is cut off."""
    frozen_layers: int = 3
    """The encoder's lowest layers, which are not trained."""
    windows: tuple[WindowSize, ...] = WINDOWS
    """Which windows of a text are scored, in calibration and in serving."""
    sentence_margin: float | None = 0.5
    """By how many log odds a sentence counts less than a window; None: sentences are not read."""

    def __post_init__(self) -> None:
        for name in ("soup", "epochs", "batch", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1")
        if self.sentence_margin is not None and not 0 <= self.sentence_margin <= MOST_MARGIN:
            raise ValueError(f"sentence_margin: expected a number from 0 to {MOST_MARGIN:g}")
        usable = [8 <= size.characters >= 2 * size.overlap >= 0 for size in self.windows]
        if not 0 < sum(usable) == len(usable) <= MOST_SIZES:
            raise ValueError(f"windows: 1 to {MOST_SIZES}, each overlap at most half of the size")

    def recorded(self) -> dict[str, JsonValue]:
        """The settings as a report holds them."""
        return {**asdict(self), "windows": [list(size) for size in self.windows]}
