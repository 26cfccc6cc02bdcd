"""Devices: the providers asked for, and a clear word where they are not there."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from guard.artifacts.folder import read
from guard.encoders.devices import CPU, PROCESSOR, Device
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.gateway.reload import read as read_configuration
from guard.settings import DeviceName
from guard.terms.errors import ConfigError
from tests.encoders import tiny_artifact
from tests.text_detectors import write_word_detector


@dataclass
class Session:
    """As a runtime has made it."""

    providers: tuple[str, ...]

    def get_providers(self) -> list[str]:
        return list(self.providers)


def test_the_processor_is_always_there() -> None:
    assert CPU.providers() == [PROCESSOR]
    CPU.check(Session(("CPUExecutionProvider",)))


@pytest.mark.parametrize(
    ("name", "provider", "package"),
    [
        ("cuda", "CUDAExecutionProvider", "onnxruntime-gpu"),
        ("openvino", "OpenVINOExecutionProvider", "onnxruntime-openvino"),
    ],
)
def test_a_device_that_is_not_there_is_named(name: DeviceName, provider: str, package: str) -> None:
    device = Device(name)
    with pytest.raises(
        ConfigError, match=rf"encoder\.device: '{name}': .* no {provider}: .*{package}"
    ):
        device.providers()
    with pytest.raises(ConfigError, match=rf"{provider} does not start here"):
        device.check(Session(("CPUExecutionProvider",)))
    device.check(Session((provider, "CPUExecutionProvider")))


def test_an_encoder_is_opened_on_its_device() -> None:
    with pytest.raises(ConfigError, match="CUDAExecutionProvider"):
        OnnxEncoder(read(tiny_artifact()), device=Device("cuda"))


def test_the_configuration_s_error_names_file_line_and_key(tmp_path: Path) -> None:
    encoder = {"path": str(tiny_artifact()), "device": "cuda"}
    detector = {"kind": "artifact", "path": str(tmp_path / "words"), "device": "openvino"}
    write_word_detector(tmp_path / "words", ["forbidden"], needed=1)
    for section, key in (
        ({"encoder": encoder}, r"encoder\.device"),
        ({"detectors": {"words": detector}}, r"detectors\.words\.device"),
    ):
        file = tmp_path / "guard.yaml"
        file.write_text(yaml.safe_dump({**section, "upstream": {"url": "http://127.0.0.1:9"}}))
        with pytest.raises(ConfigError, match=rf"guard\.yaml:\d: {key}: .* ONNX Runtime has no"):
            read_configuration(file)
