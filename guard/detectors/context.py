"""What a detector is loaded with, beside its own section of the configuration."""

from dataclasses import dataclass

from guard.encoders.devices import CPU, Device
from guard.terms.detector import Encoder


@dataclass(frozen=True, slots=True)
class Context:
    """The detector's name in the configuration, the encoder in service, and the threads in which
    a model that runs here reads a prompt, and on which device."""

    name: str
    encoder: Encoder | None = None
    threads: int = 1
    device: Device = CPU
