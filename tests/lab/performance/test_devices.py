"""The bench of devices: a device beside itself is no other one."""

import pytest

from guard.encoders.onnx_encoder import OnnxEncoder
from lab.performance.devices import compare, drift, main, prompts
from tests.encoders import tiny_artifact


def test_the_same_device_gives_the_same_numbers() -> None:
    encoder = OnnxEncoder.load(tiny_artifact())
    assert drift(encoder, encoder, prompts(8)) == 0
    assert prompts(8) == prompts(8)


def test_the_second_is_told_as_a_multiple_of_the_first() -> None:
    times = iter((0.0, 2.0, 2.0, 3.0) * 20)  # the second is timed first, and takes twice as long
    assert compare(lambda: None, lambda: None, lambda: next(times)) == 2


def test_it_says_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tiny_artifact()), "--device", "cpu"])
    assert "0.00e+00" in capsys.readouterr().out
