"""A small script that stands in for a server, as an interpreter would be called."""

import os
import sys
from pathlib import Path
from select import select

# Called like vLLM's interpreter: `fake -m module --model ... --port N`. It and its child, which
# ignores SIGTERM, hold the FIFO open: its reader sees the end exactly when both are gone.
SCRIPT = f"""#!{sys.executable}
import http.server, os, signal, subprocess, sys

mode = os.environ["FAKE_MODE"]
if mode == "dies":
    sys.exit("engine core failed to start")
signs_of_life = open(os.environ["FAKE_FIFO"], "wb", buffering=0)
os.set_inheritable(signs_of_life.fileno(), True)
deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); "
child = subprocess.Popen(
    [sys.executable, "-c", deaf + "signal.pause()"], close_fds=False, stdout=subprocess.PIPE
)
child.stdout.readline()
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if mode == "never" else 200)
        self.end_headers()

port = int(sys.argv[sys.argv.index("--port") + 1])
server = http.server.HTTPServer(("127.0.0.1", port), Health)
signs_of_life.write(b"up")
server.serve_forever()
"""


class FakeServer:
    """Where the script is, and whether a process that it started is still there.

    Modes: `ready`, `deaf` (ignores SIGTERM), `never` (answers 503), `dies` (at once).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "python"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)
        self.fifo = folder / "fifo"
        os.mkfifo(self.fifo)
        self._reader = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)

    def environment(self, mode: str) -> dict[str, str]:
        return {"FAKE_MODE": mode, "FAKE_FIFO": str(self.fifo)}

    def wait_until_up(self) -> None:
        assert self._read() == b"up"

    def wait_until_gone(self) -> None:
        """Pass when no process of the group is left."""
        assert self._read() in (b"", b"up")
        assert self._read() == b""

    def close(self) -> None:
        os.close(self._reader)

    def _read(self) -> bytes:
        readable, _, _ = select([self._reader], [], [], 20)
        assert readable, "still alive"
        return os.read(self._reader, 100)
