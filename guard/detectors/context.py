"""What a detector is loaded with, beside its own section of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guard.encoders.devices import CPU, Device
from guard.terms.detector import Detector, Encoder


@dataclass(frozen=True, slots=True)
class Context:
    """The detector's name in the configuration, the encoder in service, and the threads in which
    a model that runs here reads a prompt, and on which device; `others` are the detectors that
    join no others, by name."""

    name: str
    encoder: Encoder | None = None
    threads: int = 1
    device: Device = CPU
    others: Mapping[str, Detector] = field(default_factory=dict)
