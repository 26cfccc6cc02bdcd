"""The numbers by which the detector is trained, and what of a text it reads."""

from dataclasses import asdict, dataclass

from pydantic import JsonValue

from guard.terms.detector import WindowSize

WINDOW = WindowSize(800, 160)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The defaults are those of the shipped detector."""

    rate: float = 2e-4
    """The highest learning rate of the uppermost layer."""
    decay: float = 0.9
    """Each tuned layer's rate is this times that of the layer above it."""
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: float = 0.08
    """Share of the steps in which the rate rises; then it falls to 0, linearly too."""
    smoothing: float = 0.04
    epochs: int = 1
    window_tokens: int = 256
    """Of a window in training: nearly every window whole, as what decides may stand at its end."""
    batch_tokens: int = 2000
    """In a step, after padding, where it has more than the least number of windows."""
    seed: int = 1
    scale: float = 0.8
    """Of the amounts of examples."""
    share: float = 0.4
    """Of the examples, drawn at random, that a model learns from."""
    later_rate: float = 0.7
    """Share of the rates for a model that goes on from an earlier one."""
    later_share: float = 0.5
    """Of the later weights in the mean with those of the earlier model."""
    frozen_layers: int = 8
    anchor_layer: int = 3
    """Shallow states keep more of the words, deep ones more of the sense."""
    segment: int = 32
    anchor_share: float = 0.0
    """0: no anchor is learned, and none is in the graph."""
    lexical_share: float = 0.6
    length_share: float = 0.6
    """Of the logarithm of the windows read: so much higher must a longer text's logit be."""
    buckets: int = 1 << 19
    ngram_words: int = 4
    max_tokens: int = 512
    """Of a window in serving."""
    window: WindowSize = WINDOW

    def recorded(self) -> dict[str, JsonValue]:
        """The recipe as a report holds it."""
        return {**asdict(self), "window": list(self.window)}
