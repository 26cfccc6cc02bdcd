"""The device: a GPU where there is one, and modules are back on the processor afterwards."""

from dataclasses import dataclass

import pytest

from classifiers.runs.device import Device, choose_device, moved


@dataclass(frozen=True)
class FakeCuda:
    """A machine's answers in place of `torch.cuda`."""

    available: bool
    bf16: bool = True

    def is_available(self) -> bool:
        return self.available

    def is_bf16_supported(self) -> bool:
        return self.bf16


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [
        (FakeCuda(available=False), Device("cpu", bf16=False)),
        (FakeCuda(available=True), Device("cuda", bf16=True)),
        (FakeCuda(available=True, bf16=False), Device("cuda", bf16=False)),
    ],
)
def test_a_gpu_is_taken_where_there_is_one(cuda: FakeCuda, expected: Device) -> None:
    assert choose_device(cuda) == expected


def test_torch_is_asked_by_default() -> None:
    import torch

    assert (choose_device().kind == "cuda") == torch.cuda.is_available()


def test_a_module_comes_back_even_after_an_error() -> None:
    import torch

    layer = torch.nn.Linear(2, 1)
    with pytest.raises(KeyboardInterrupt), moved(layer, Device()):
        raise KeyboardInterrupt
    assert layer.weight.device.type == "cpu"
