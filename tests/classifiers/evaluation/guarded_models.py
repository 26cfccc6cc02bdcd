"""A model that knows invented people, its twin that does not, and a real proxy before the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from guard.server.app import create_app
from guard.settings import load
from tests.chat_server import ChatServer, chat_server
from tests.classifiers.evaluation.tofu.files import FACTS, FORGET, FORGOTTEN, RETAIN
from tests.e2e.serving import served

KEY_VARIABLE = "ECOGUARD_CORRUPTION_KEY"


@dataclass(frozen=True)
class Guarded:
    """Everything that an evaluation is told of."""

    config: Path
    request: Path
    full: ChatServer
    twin: ChatServer
    proxy: str

    @property
    def options(self) -> list[object]:
        """What both commands take."""
        return ["--config", self.config, "--proxy", self.proxy, "--retain", self.twin.url]


@contextmanager
def guarded_models(folder: Path) -> Iterator[Guarded]:
    """The full model knows all rows, the twin all but the forgotten; the guard forgets by name."""
    kept = {row["question"]: row["answer"] for row in [*RETAIN, *FACTS]}
    known = kept | {row["question"]: row["answer"] for row in FORGET}
    with (
        pytest.MonkeyPatch.context() as patch,
        chat_server(folder / "full", known) as full,
        chat_server(folder / "twin", kept) as twin,
    ):
        patch.setenv(KEY_VARIABLE, "a key for tests")
        config = _write_config(folder, full)
        with served(create_app(load(config))) as proxy:
            yield Guarded(config, _write_request(folder / "request"), full, twin, proxy)


def _write_config(folder: Path, full: ChatServer) -> Path:
    settings = {
        "upstream": {"url": full.url},
        "models": {"demo": {"path": str(full.folder)}},
        "detectors": {"names": {"kind": "phrases", "phrases": list(FORGOTTEN)}},
        "policies": [{"name": "forget", "detector": "names", "action": "corrupt"}],
        "corruption": {"kind": "rand_noise_first_n", "dims": 1, "strength": 50},
    }
    file = folder / "guard.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


def _write_request(folder: Path) -> Path:
    folder.mkdir()
    described = {"name": "people", "reason": "test", "contact": "test", "names": list(FORGOTTEN)}
    (folder / "request.yaml").write_text(yaml.safe_dump(described))
    return folder
