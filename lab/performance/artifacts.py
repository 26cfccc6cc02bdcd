"""The detectors that are measured: the shipped one, and forget classifiers of invented people."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from classifiers.encoder.export import export_encoder
from classifiers.forget.training import train_forget
from classifiers.malicious.shipped import build_shipped
from classifiers.prompts.files import Prompt
from guard.artifacts.folder import read
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.errors import ArtifactError
from lab.demo.data import generate
from lab.demo.stage import SEED


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Folders of what the proxies read."""

    encoder: Path
    forget: Path
    malicious: Path

    def sections(self, *detectors: str) -> dict[str, object]:
        """The configuration with these detectors, each one with a policy that blocks.

        At a threshold of 1 nothing fires: what is measured is the work for harmless prompts.
        """
        folders: Mapping[str, Path] = {"forget": self.forget, "malicious": self.malicious}
        named = {name: {"kind": "artifact", "path": str(folders[name])} for name in detectors}
        policies = [
            {"name": name, "detector": name, "threshold": 1.0, "action": "block"}
            for name in detectors
        ]
        return {
            "encoder": {"path": str(self.encoder)},
            "detectors": named,
            "policies": policies,
        }


def build(folder: Path) -> Artifacts:
    """Build what `folder` lacks: a minute and a half the first time.

    The shipped detector is always built anew, in 20 s: that of last week is another one.
    """
    made = Artifacts(folder / "encoder", folder / "forget", folder / "malicious")
    export_encoder(made.encoder)
    if not _stands(made.forget):
        _train(made)
    build_shipped(made.malicious)
    return made


def _stands(folder: Path) -> bool:
    try:
        read(folder)
    except ArtifactError:
        return False
    return True


def _train(artifacts: Artifacts) -> None:
    """One request's classifier from the demo's questions about people who do not exist."""
    data = generate(SEED)
    people = data.population.forgotten
    train_forget(
        "bench",
        [Prompt(row.question, str(row.person)) for row in data.select("forget", "train")],
        [
            Prompt(row.question, str(row.person or row.question))
            for group in ("retain", "general")
            for row in data.select(group, "train")
        ],
        OnnxEncoder.load(artifacts.encoder),
        artifacts.forget,
        names=[name for person in people for name in (person.name, person.alias)],
    )
