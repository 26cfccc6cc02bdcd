"""Where torch computes: on a GPU where there is one, else on the processor. Chosen here alone.

`CUDA_VISIBLE_DEVICES=` (empty) keeps a training on the processor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import nn


class Cuda(Protocol):
    """What is asked of `torch.cuda`."""

    def is_available(self) -> bool:
        """Whether torch was built for a GPU and finds one."""
        ...

    def is_bf16_supported(self) -> bool:
        """Whether the GPU computes in bfloat16."""
        ...


@dataclass(frozen=True, slots=True)
class Device:
    """A kind of device as torch names it, and whether training computes in bfloat16 on it.

    Weights stay float32 in either case.
    """

    kind: Literal["cpu", "cuda"] = "cpu"
    bf16: bool = False


def choose_device(cuda: Cuda | None = None) -> Device:
    """The GPU if there is one, in bfloat16 if it can. `cuda` is `torch.cuda` by default."""
    if cuda is None:
        import torch

        cuda = torch.cuda
    if not cuda.is_available():
        # Few processors multiply bfloat16 faster than float32, and most far slower.
        return Device()
    return Device("cuda", cuda.is_bf16_supported())


@contextmanager
def moved(module: "nn.Module", device: Device) -> Iterator[None]:
    """Inside the block the module is on the device; afterwards it is back on the processor."""
    module.to(device.kind)
    try:
        yield
    finally:
        module.to("cpu")
