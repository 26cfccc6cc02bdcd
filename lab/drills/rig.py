"""The stage of the drills: two errant model servers and the proxy, each a process of its own."""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import yaml

from classifiers.model_server.http_client import HttpClient
from classifiers.model_server.process import ServerProcess, free_port
from lab.drills.errant_server import FORBIDDEN
from lab.drills.proxy import SCRIPTED
from lab.performance.cost import descendants

LISTENING = "0A"
KEY = "drill"
"""The text of the one API key, which may do everything."""


class Process(ServerProcess):
    """A server that can be sent signals."""

    @property
    def pid(self) -> int:
        """The server's own process, not the one that watches over it."""
        if self._process is None:
            raise RuntimeError("not started")
        return descendants(self._process.pid)[1]

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    @property
    def connections(self) -> int:
        """How many TCP connections it has open; Redis' bounded pool is on a Unix socket."""
        table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        rows = [line.split() for line in table]
        open_inodes = {row[9] for row in rows if row[3] != LISTENING}
        targets = [_target(link) for link in Path(f"/proc/{self.pid}/fd").iterdir()]
        return sum(target[len("socket:[") : -1] in open_inodes for target in targets)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


@dataclass(frozen=True, slots=True)
class Rig:
    """The processes, the configuration file, and the file that tells of unscreened prompts."""

    servers: tuple[Process, ...]
    proxy: Process
    file: Path
    seen: Path

    def order(self, mode: str) -> None:
        """Make all model servers that run misbehave in a way of `errant_server.MODES`."""
        for server in self.servers:
            if server.is_running:
                _ask(server, "POST", "/mode", mode)

    @property
    def requests(self) -> int:
        """How many requests the model servers have had."""
        return sum(int(_ask(server, "GET", "/seen")["requests"]) for server in self.servers)

    def write(self, **changes: object) -> None:
        """Change sections of the configuration file."""
        content = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        self.file.write_text(yaml.safe_dump({**content, **changes}), encoding="utf-8")

    @property
    def unscreened(self) -> int:
        """Requests that reached a model server and should have been blocked."""
        return len(self.seen.read_text().splitlines()) if self.seen.exists() else 0


@contextmanager
def staged(folder: Path, sections: Mapping[str, object]) -> Iterator[Rig]:
    """The started processes; `sections` are added to the configuration."""
    seen, file = folder / "seen", folder / "guard.yaml"
    servers = tuple(_server(folder, number, seen) for number in range(2))
    port = free_port()
    content = configuration([server.url for server in servers], port)
    file.write_text(yaml.safe_dump({**content, **sections}), encoding="utf-8")
    command = [sys.executable, "-m", "lab.drills.proxy", "--config", str(file)]
    proxy = Process(command, port=port, log=folder / "proxy.log", health="/livez")
    with ExitStack() as stack:
        for process in (*servers, proxy):
            stack.enter_context(process)
        yield Rig(servers, proxy, file, seen)


def _ask(server: Process, method: str, path: str, body: str = "") -> dict[str, int]:
    with HttpClient(server.url, timeout=5) as client:
        _, answer = client.request(method, path, body.encode())
    counts: dict[str, int] = orjson.loads(answer)
    return counts


def _server(folder: Path, number: int, seen: Path) -> Process:
    port = free_port()
    command = [sys.executable, "-m", "lab.drills.errant_server"]
    command += ["--port", str(port), "--seen", str(seen)]
    return Process(command, port=port, log=folder / f"server-{number}.log")


def configuration(upstreams: list[str], port: int) -> dict[str, object]:
    """Blocks `FORBIDDEN`; patience is short, but enough for a busy machine."""
    phrases = {"kind": "phrases", "phrases": [FORBIDDEN.decode()]}
    rule = {"detector": "words", "action": "block"}
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    return {
        "listen": {"port": port, "drain_s": 10},
        "upstream": {
            "urls": upstreams,
            "send_early": False,  # it is counted whether anything arrives that must not
            "connect_s": 1,
            "first_byte_s": 1.5,
            "between_bytes_s": 1.5,
            "health_s": 0.2,
            "breaker_s": 0.2,
        },
        "detectors": {"words": phrases},
        "policies": [{"name": "stop", **rule}, {"name": SCRIPTED, **rule}],
        "limits": {"screening_s": 1.5},
        "keys": [{"name": "drill", "sha256": digest, "scopes": ["inference", "admin"]}],
    }
