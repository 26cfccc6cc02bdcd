"""One program at one address: its turns, and how the server answered each of its requests."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.bypass.recorder import NOT_GENERATING, Answered, Recorded, Recorder
from tests.e2e.clients.conftest import NOWHERE
from tests.e2e.matrix.agents import KEY_VARIABLE, Agent, Place
from tests.e2e.matrix.libraries import Library
from tests.e2e.serving import served

TURNS = ("Where was the author born?", "And who is it?", "Thank you.")
TURN_S = 240
FILE = "notes.txt"  # what an agent finds in its workplace
SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program did: turns that ended well, of so many; the server's answers; what it wrote
    at the end; the requests that it sent for the model; whether it ran the tool that a scripted
    model called, None where no such model was asked."""

    passed: int
    asked: int
    answers: tuple[Answered, ...]
    said: str = ""
    sent: tuple[Recorded, ...] = ()
    called: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether everything went well, and the model was asked."""
        if self.tests:  # some of its requests are meant to be refused
            return True
        return self.passed == self.asked and bool(self.generating) and not self.refused

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests that passed, of a program that is a test suite."""
        lines = (line for line in self.said.splitlines() if line.startswith("PASSED "))
        return tuple(next(lines, "").split()[1:])

    @property
    def generating(self) -> list[Answered]:
        """The answers on routes that feed the model."""
        return [answer for answer in self.answers if answer.path not in NOT_GENERATING]

    @property
    def streams(self) -> bool:
        """Whether some answer was a stream."""
        return any(answer.streamed and answer.status == 200 for answer in self.generating)

    @property
    def refused(self) -> list[int]:
        """The statuses of requests that were not served."""
        return [answer.status for answer in self.generating if answer.status >= 400]

    @property
    def dropped(self) -> str:
        """The names of fields that the proxy dropped."""
        names = {name for answer in self.answers for name in answer.dropped.split(", ") if name}
        return ", ".join(sorted(names))


def run_agent(agent: Agent, folder: Path, url: str, key: str, turns: int = 3) -> Ran:
    """An agent's turns of one conversation, in a home and a workplace of its own."""
    with _witnessed(url) as (root, recorder), tempfile.TemporaryDirectory() as made:
        place = Place(root, key, "demo", Path(made))
        (place.home / FILE).write_text("Nothing yet.\n", encoding="utf-8")
        environment = {**_environment(place), **agent.prepare(place)}
        binary = folder / "node_modules/.bin" / agent.binary
        binary = binary if binary.exists() else folder / "bin" / agent.binary
        passed, said = 0, ""
        for index, words in enumerate(TURNS[:turns]):
            command = agent.following if index else agent.command
            code, said = _ran([str(binary), *command, words], place.home, environment)
            if code != 0:
                break
            passed += 1
        return Ran(passed, turns, tuple(recorder.answers), said, tuple(recorder.generating))


def run_library(library: Library, folder: Path, url: str, key: str, tokenizer: Path) -> Ran:
    """A library's program, or its own command; `tokenizer` is the model's folder."""
    with _witnessed(url) as (root, recorder), tempfile.TemporaryDirectory() as made:
        place = Place(root, key, "demo", Path(made))
        command = _program(library, folder, place, tokenizer)
        code, said = _ran(command, place.home, _environment(place))
        return Ran(int(code == 0), 1, tuple(recorder.answers), said)


def _program(library: Library, folder: Path, place: Place, tokenizer: Path) -> list[str]:
    if library.program is None:
        python = str(folder / "bin/python")
        filled = {"root": place.root, "python": python, "tokenizer": tokenizer}
        return [part.format(**filled) for part in library.command]
    given = [place.root, place.key, place.model, library.route, str(tokenizer)]
    script = SCRIPTS / library.program
    if script.suffix == ".mjs":  # node looks for packages beside the program
        copy = folder / library.program
        copy.write_bytes(script.read_bytes())
        return ["node", str(copy), *given]
    return [str(folder / "bin/python"), str(script), *given]


@contextmanager
def _witnessed(url: str) -> Iterator[tuple[str, Recorder]]:
    recorder = Recorder(url)
    with served(recorder) as root:
        yield root, recorder


def _environment(place: Place) -> dict[str, str]:
    """A closed one: whatever calls home finds nobody."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(place.home),
        "TERM": "dumb",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
        "DO_NOT_TRACK": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LANGSMITH_TRACING": "false",
        "HF_HUB_OFFLINE": "1",
        "OPENAI_API_KEY": place.key,
        KEY_VARIABLE: place.key,
    }


def _ran(command: Sequence[str], home: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """A command's exit status, and the end of what it wrote."""
    try:
        done = subprocess.run(
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TURN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, "no end"
    return done.returncode, (done.stdout + done.stderr)[-8000:]
