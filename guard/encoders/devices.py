"""Which device a model runs on: ONNX Runtime's execution providers, by the configuration's word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guard.settings import DeviceName
from guard.terms.errors import ConfigError

Provider = tuple[str, dict[str, str]]

PROVIDERS: Mapping[str, Provider] = {
    "cuda": ("CUDAExecutionProvider", {}),
    # One thread for each pass, as on the processor itself: the guard's own threads share a prompt.
    "openvino": ("OpenVINOExecutionProvider", {"device_type": "CPU", "num_of_threads": "1"}),
}
"""What runs a model on a device; what it cannot run runs on the processor."""
PACKAGES: Mapping[str, str] = {"cuda": "onnxruntime-gpu", "openvino": "onnxruntime-openvino"}
"""The build of ONNX Runtime that has it; it takes the place of `onnxruntime`."""
PROCESSOR: Provider = ("CPUExecutionProvider", {})


@dataclass(frozen=True, slots=True)
class Device:
    """A device by its name in the configuration, and the key that it stands under."""

    name: DeviceName = "cpu"
    key: tuple[str, ...] = ("encoder", "device")

    def providers(self) -> list[Provider]:
        """The execution providers of a session; ConfigError where the device's is not installed."""
        if self.name == "cpu":
            return [PROCESSOR]
        import onnxruntime

        wanted = PROVIDERS[self.name]
        if wanted[0] not in onnxruntime.get_available_providers():
            raise self._error(
                f"the installed ONNX Runtime has no {wanted[0]}: install {PACKAGES[self.name]} in "
                "the place of onnxruntime"
            )
        return [wanted, PROCESSOR]

    def check(self, session: Any) -> None:
        """Raise ConfigError for a session that the runtime has put on the processor instead."""
        if self.name != "cpu" and PROVIDERS[self.name][0] not in session.get_providers():
            raise self._error(
                f"{PROVIDERS[self.name][0]} does not start here: its libraries are missing"
            )

    def _error(self, said: str) -> ConfigError:
        error = ConfigError(f"'{self.name}': {said}")
        error.key = self.key
        return error


CPU = Device()
