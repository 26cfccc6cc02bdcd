"""Sets the demo's stage in one folder: models, encoder, detectors, forget request, configuration.

Every step keeps what is already there and fits, so a second run starts at once and an interrupted
one goes on where it was.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import Progress

from classifiers.encoder.export import export_encoder
from classifiers.forget.request import read_forget_prompts, read_request, read_retain_prompts
from classifiers.forget.training import train_forget
from classifiers.malicious.shipped import build_shipped
from classifiers.malicious.shipped.detector import DELTA, FACTS, PACKAGE
from guard import __version__
from guard.detectors.forget.detector import ForgetClassifier
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.errors import ArtifactError
from lab.demo.data import DemoData, generate
from lab.demo.pair import Pair, build

SEED = 7
MODEL = "demo"
MODELS = "models"
REQUEST = "six-people"
MALICIOUS = "malicious"
CONTEXT_TOKENS = 512
# All dimensions, 2.4 times the embeddings' standard deviation: not far above the weakest noise
# that leaks nothing, so that answers stay close to the twin's (docs/lab/demo.md has the grid).
CORRUPTION = {"kind": "rand_noise_first_n", "dims": 128, "strength": 0.15}


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
    }
    (stage.request / "request.yaml").write_text(yaml.safe_dump(description, sort_keys=False))
    for name in ("forget.jsonl", "retain.jsonl"):
        content = (stage.models.data / name).read_text(encoding="utf-8")
        (stage.request / name).write_text(content, encoding="utf-8")


def train(stage: Stage) -> None:
    """Train the request's classifier, unless the one that is there came from the same request."""
    encoder = OnnxEncoder.load(stage.encoder, threads=2)
    stamp = stage.classifier.with_suffix(".stamp")
    origin = _origin(stage, encoder.digest)
    if _stands(stage.classifier, stamp, origin, ForgetClassifier.load):
        return
    request = read_request(stage.request)
    train_forget(
        request.name,
        read_forget_prompts(stage.request),
        read_retain_prompts(stage.request),
        encoder,
        stage.classifier,
        names=request.evidence,
        cache=stage.folder / "features",
        progress=True,
    )
    stamp.write_text(origin)


def _origin(stage: Stage, encoder: str) -> str:
    """A hash of all that the classifier is made from."""
    digest = hashlib.sha256(f"{__version__} {encoder}".encode())
    for file in sorted(stage.request.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def build_detector(stage: Stage) -> None:
    """Build the shipped detector, unless the one that is there is the same."""
    stamp = stage.detector.with_suffix(".stamp")
    origin = _shipped_origin()
    if not _stands(stage.detector, stamp, origin, MaliciousTextClassifier.load):
        build_shipped(stage.detector)
        stamp.write_text(origin)


def _shipped_origin() -> str:
    """A hash of all that the shipped detector is made from."""
    digest = hashlib.sha256(__version__.encode())
    for file in (files(PACKAGE) / name for name in (DELTA, FACTS)):
        digest.update(file.read_bytes() if file.is_file() else b"")  # the build names what lacks
    return digest.hexdigest()


def _stands(artifact: Path, stamp: Path, origin: str, load: Callable[[Path], object]) -> bool:
    """Whether the artifact is there, whole, and made of what `origin` names."""
    if not stamp.exists() or stamp.read_text() != origin:
        return False
    try:
        load(artifact)
    except ArtifactError:
        return False
    return True


def write_configuration(stage: Stage, upstream: str, port: int) -> None:
    """The YAML that a person could have written."""
    settings = {
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
        "corruption": CORRUPTION,
    }
    stage.configuration.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
