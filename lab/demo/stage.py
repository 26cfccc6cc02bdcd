"""Sets the demo's stage in one folder: models, encoder, detectors, forget request, configuration.

Every step keeps what is already there and fits, so a second run starts at once and an interrupted
one goes on where it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.progress import Progress

from classifiers.encoder.export import export_encoder
from classifiers.forget.batch import Batch
from classifiers.forget.training import ForgetRecipe
from classifiers.malicious.shipped import build_shipped
from classifiers.malicious.shipped.detector import DELTA, FACTS, PACKAGE
from classifiers.runs.digests import digest_of, file_digest
from guard import __version__
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.errors import ArtifactError, ConfigError
from lab.demo.data import DemoData, generate
from lab.demo.pair import Pair, build

SEED = 7
MODEL = "demo"
MODELS = "models"
REQUEST = "six-people"
MALICIOUS = "malicious"
CONTEXT_TOKENS = 512
# Chosen by the worst of the attacks, and by how like the twin's its answers are
# (docs/lab/demo.md has the tables).
CORRUPTION = {"kind": "stranger_first_n", "dims": 128, "strength": 0, "tokens": "names"}


@dataclass(frozen=True, slots=True)
class Stage:
    """The folders of a staged demo."""

    folder: Path
    models: Pair
    data: DemoData

    @property
    def request(self) -> Path:
        """The forget request."""
        return self.folder / "requests" / REQUEST

    @property
    def encoder(self) -> Path:
        """The encoder artifact."""
        return self.folder / "encoder"

    @property
    def classifier(self) -> Path:
        """The forget classifier's artifact."""
        return self.folder / "classifiers" / REQUEST

    @property
    def detector(self) -> Path:
        """The artifact of the shipped detector of malicious prompts."""
        return self.folder / "classifiers" / MALICIOUS

    @property
    def configuration(self) -> Path:
        """The proxy's YAML file."""
        return self.folder / "guard.yaml"


def set_stage(folder: Path, console: Console) -> Stage:
    """Build what is missing in `folder`; about four minutes on two cores the first time."""
    console.print("[bold]1/5[/] the model that knows 24 invented people, and its twin")
    with Progress(console=console) as progress:
        models = build(folder / MODELS, SEED, progress)
    stage = Stage(folder, models, generate(SEED))
    console.print("[bold]2/5[/] the encoder (MiniLM-L6 for ONNX Runtime)")
    export_encoder(stage.encoder)
    console.print(f"[bold]3/5[/] the forget request '{REQUEST}' and its classifier")
    write_request(stage)
    train(stage)
    console.print("[bold]4/5[/] the shipped detector of malicious prompts")
    build_detector(stage)
    console.print("[bold]5/5[/] the proxy's configuration")
    return stage


def write_request(stage: Stage) -> None:
    """A forget request as a legal team would hand it in: a description and examples."""
    people = stage.data.population.forgotten
    stage.request.mkdir(parents=True, exist_ok=True)
    description = {
        "name": REQUEST,
        "reason": "Demonstration: six invented people asked to be forgotten.",
        "contact": "safety@example.com",
        "names": [person.name for person in people],
        "aliases": [person.alias for person in people],
        # First names that nobody else has here: they are enough to ask.
        "nicknames": [person.name.split()[0] for person in people],
    }
    (stage.request / "request.yaml").write_text(yaml.safe_dump(description, sort_keys=False))
    for name in ("forget.jsonl", "retain.jsonl"):
        content = (stage.models.data / name).read_text(encoding="utf-8")
        (stage.request / name).write_text(content, encoding="utf-8")


def train(stage: Stage) -> None:
    """Train the request's classifier, unless the one that is there came from the same request."""
    encoder = OnnxEncoder.load(stage.encoder, threads=2)
    batch = Batch(encoder, ForgetRecipe(), cache=stage.folder / "features", progress=True)
    (outcome,) = batch.train([(stage.request, stage.classifier)])
    if outcome.artifact is None:
        raise ConfigError(outcome.problem)


def build_detector(stage: Stage) -> None:
    """Build the shipped detector, unless the one that is there was made from the same."""
    stamp = stage.detector.with_suffix(".stamp")
    sources = [file_digest(Path(str(files(PACKAGE) / name))) for name in (DELTA, FACTS)]
    origin = digest_of([__version__, sources])
    if not (_is_whole(stage.detector) and stamp.exists() and stamp.read_text() == origin):
        build_shipped(stage.detector)
        stamp.write_text(origin)


def _is_whole(detector: Path) -> bool:
    try:
        MaliciousTextClassifier.load(detector)
    except ArtifactError:
        return False
    return True


def write_configuration(
    stage: Stage,
    upstream: str,
    port: int,
    corruption: Mapping[str, object] = CORRUPTION,
    *,
    forget_only: bool = False,
) -> None:
    """The YAML that a person could have written; without the other policies if `forget_only`."""
    settings: dict[str, Any] = {
        "listen": {"host": "127.0.0.1", "port": port},
        "upstream": {"url": upstream},
        "models": {MODEL: {"path": f"{MODELS}/full", "context_tokens": CONTEXT_TOKENS}},
        "encoder": {"path": "encoder"},
        "detectors": {
            REQUEST: {"kind": "artifact", "path": f"classifiers/{REQUEST}"},
            MALICIOUS: {"kind": "artifact", "path": f"classifiers/{MALICIOUS}"},
            "phrases": {"kind": "phrases", "phrases": ["ignore all previous instructions"]},
        },
        "policies": [
            {"name": "forget-six-people", "detector": REQUEST, "action": "corrupt"},
            {"name": "malicious-prompts", "detector": MALICIOUS, "action": "block"},
            {"name": "operator-phrases", "detector": "phrases", "action": "block"},
        ],
        "corruption": dict(corruption),
    }
    if forget_only:
        del settings["policies"][1:]
    stage.configuration.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
