"""The shell commands of a page, run as its reader would: in one shell, block after block.

A block that is not run says why, in a comment above it: `<!-- not run: needs a cluster -->`. What
a page takes for granted is put in place before: a vLLM on port 8000 (scripted), the files that it
names. Ports are replaced, for tests run side by side; nothing else is.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from classifiers.model_server.process import free_port
from tests.source_tree import ROOT

FENCE = re.compile(r"^(?:<!-- not run: ([^\n]+) -->\n)?```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODEL_SERVER = "http://127.0.0.1:8000"
PROXY = "localhost:8080"
# `serve` goes on beside the commands that follow, as in another terminal.
PRELUDE = """
set -euo pipefail
ecoguard() {
    [ "$1" = serve ] || { command ecoguard "$@"; return; }
    command ecoguard "$@" > serve.log 2>&1 & server=$!
    until command curl -sf -o /dev/null PROXY/livez; do
        kill -0 $server || { cat serve.log >&2; exit 1; }
        read -rt 0.2 <> <(:) || true
    done
}
curl() { command curl -sS --fail-with-body "$@" && echo; }
trap '[ -z "${server:-}" ] || { kill $server; wait $server || true; }' EXIT
"""


@dataclass(frozen=True, slots=True)
class ShellBlock:
    """Commands of a page: the line that they begin in, and why they are not run ("": they are)."""

    line: int
    text: str
    reason: str


def shell_blocks(page: str) -> list[ShellBlock]:
    """The fenced blocks of shell commands, in order."""
    return [
        ShellBlock(page.count("\n", 0, found.start(2)), found[2], found[1] or "")
        for found in FENCE.finditer(page)
    ]


def walk(
    page: Path, folder: Path, model_server: str, environment: Mapping[str, str] | None = None
) -> str:
    """What the page's commands print, run in `folder`; AssertionError where one of them fails."""
    proxy = f"localhost:{free_port()}"
    blocks = shell_blocks(page.read_text(encoding="utf-8"))
    runs = "".join(block.text for block in blocks if not block.reason)
    commands = runs.replace(MODEL_SERVER, model_server).replace(PROXY, proxy)
    script = PRELUDE.replace("PROXY", proxy) + commands.replace("MODEL", "demo")
    given = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "ECOGUARD_LISTEN_PORT": proxy.rpartition(":")[2],
        **(environment or {}),
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
