"""What is measured side by side: servers between a client and the model server, all on loopback."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from classifiers.model_server.process import ServerProcess, free_port
from lab.performance.artifacts import Artifacts
from lab.performance.load import KEY
from lab.performance.model_server import PACES

SCREENING_S = 300
"""Seconds that screening may take: the benchmark measures waiting, it does not refuse it."""


class Contestant(ServerProcess):
    """A server whose processes can be measured."""

    @property
    def pid(self) -> int:
        """The process that leads all others."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every contestant needs: a folder of its own, and where the model server is."""

    folder: Path
    upstream: str
    models: tuple[str, ...] = PACES
    workers: int = 1


Maker = Callable[[Surroundings], Contestant]


def nginx(around: Surroundings) -> Contestant:
    """One worker with connections to the model server kept alive, nothing buffered."""
    port = free_port()
    file = around.folder / "nginx.conf"
    file.write_text(
        _NGINX.format(
            folder=around.folder, port=port, upstream=around.upstream.removeprefix("http://")
        )
    )
    command = [_on_path("nginx"), "-p", str(around.folder), "-c", str(file), "-g", "daemon off;"]
    return Contestant(command, port=port, log=around.folder / "nginx.log")


def litellm(interpreter: Path) -> Maker:
    """LiteLLM's proxy from an environment of its own, without a database."""

    def make(around: Surroundings) -> Contestant:
        port = free_port()
        file = around.folder / "litellm.yaml"
        models = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{name}",
                    "api_base": f"{around.upstream}/v1",
                    "api_key": KEY,
                },
            }
            for name in around.models
        ]
        quiet = {"num_retries": 0, "telemetry": False}
        file.write_text(yaml.safe_dump({"model_list": models, "litellm_settings": quiet}))
        # Its own command, so that its server runs as its makers start it.
        command = [
            *(str(interpreter.with_name("litellm")), "--config", str(file)),
            *("--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"),
        ]
        return Contestant(
            command,
            port=port,
            log=around.folder / "litellm.log",
            health="/health/liveliness",
            environment={
                "LITELLM_LOG": "ERROR",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # looks nothing up in the network
                # None of the contestants checks keys.
                "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            },
            ready_within=180,
        )

    return make


def ecoguard(name: str, sections: Mapping[str, object], *, send_early: bool = False) -> Maker:
    """This project's proxy with further sections of its configuration."""

    def make(around: Surroundings) -> Contestant:
        port = free_port()
        configuration = {
            "listen": {"port": port},
            "upstream": {"url": around.upstream, "send_early": send_early},
            "limits": {"screening_s": SCREENING_S},
            **sections,
        }
        file = around.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(configuration))
        command = [sys.executable, "-m", "guard", "serve", "--config", str(file)]
        return Contestant(command, port=port, log=around.folder / f"{name}.log", health="/livez")

    return make


def contestants(artifacts: Artifacts | None, litellm_python: Path | None) -> dict[str, Maker]:
    """All that can run here, by name; what is missing is left out (`missing` says what)."""
    made: dict[str, Maker] = {}
    if shutil.which("nginx", path=_SEARCHED):
        made["nginx"] = nginx
    if litellm_python:
        made["litellm"] = litellm(litellm_python)
    made["guard off"] = ecoguard("off", {})
    if artifacts:
        made["forget only"] = ecoguard("forget", artifacts.sections("forget"))
        both = artifacts.sections("forget", "malicious")
        made["both"] = ecoguard("both", both)
        made["both, early"] = ecoguard("early", both, send_early=True)
    return made


def missing(litellm_python: Path | None) -> Iterator[str]:
    """A line for each contestant that cannot run here."""
    if not shutil.which("nginx", path=_SEARCHED):
        yield "nginx is not installed: skipped (Debian: apt-get install nginx-light)"
    if litellm_python is None:
        yield "LiteLLM is skipped: give --litellm-python, of an environment with litellm[proxy]"


@contextmanager
def running(makers: Mapping[str, Maker], around: Surroundings) -> Iterator[dict[str, Contestant]]:
    """All of them started; ended when left."""
    with ExitStack() as stack:
        servers = {name: make(around) for name, make in makers.items()}
        for server in servers.values():
            stack.enter_context(server)
        yield servers


def _on_path(program: str) -> str:
    found = shutil.which(program, path=_SEARCHED)
    if found is None:
        raise FileNotFoundError(program)
    return found


_SEARCHED = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

_NGINX = """\
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-errors.log error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_max_body_size 8m;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  upstream model {{ server {upstream}; keepalive 128; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=512;
    location / {{
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_buffering off;
    }}
  }}
}}
"""
