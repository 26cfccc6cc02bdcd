"""From settings and artifact folders to the detectors that screening uses."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from pkgutil import resolve_name

from guard.artifacts.folder import Artifact, read, read_digest
from guard.detectors.classifier import KIND as CLASSIFIER
from guard.detectors.classifier import ImportedClassifier
from guard.detectors.context import Context
from guard.detectors.forget.detector import KIND as FORGET
from guard.detectors.forget.detector import ForgetClassifier
from guard.detectors.malicious.features import KIND as MALICIOUS
from guard.detectors.malicious.features import MaliciousClassifier
from guard.detectors.malicious.text import KIND as MALICIOUS_TEXT
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.encoders.devices import CPU, Device
from guard.encoders.kinds import load_encoder
from guard.settings import ArtifactDetector, DetectorSection, JointDetector, Settings
from guard.terms.detector import Detector, Encoder
from guard.terms.errors import about
from guard.terms.verdict import CANARY

ARTIFACT_KINDS: Mapping[str, Callable[[Artifact, Context], Detector]] = {
    FORGET: lambda artifact, _: ForgetClassifier.from_artifact(artifact),
    CLASSIFIER: lambda artifact, context: ImportedClassifier.from_artifact(
        artifact, threads=context.threads, device=context.device
    ),
    MALICIOUS: lambda artifact, _: MaliciousClassifier.from_artifact(artifact),
    MALICIOUS_TEXT: lambda artifact, context: MaliciousTextClassifier.from_artifact(
        artifact, encoder=context.encoder, threads=context.threads, device=context.device
    ),
}
"""By manifest kind, what makes a detector of a verified artifact."""


def load_detectors(
    settings: Settings, threads: int = 1
) -> tuple[Encoder | None, dict[str, Detector]]:
    """The encoder, if the settings name one, and every detector by name.

    `threads` are those in which a model that runs here reads a prompt.

    Raises ArtifactError naming the folder and what is wrong with it, ConfigError for a secret
    that is not set.
    """
    encoder = None
    detectors: dict[str, Detector] = {}
    if settings.encoder:
        with about("encoder", "path"):
            encoder = load_encoder(settings.encoder, threads)
    joints_last = sorted(settings.detectors.items(), key=lambda each: _joins(each[1]))
    for name, source in joints_last:
        with about("detectors", name, *_path_of(source)):
            context = Context(name, encoder, threads, others=detectors)
            detectors[name] = load_source(source, context)
    return encoder, detectors


def _joins(source: DetectorSection) -> bool:
    """Whether a section's detector is made of others."""
    return isinstance(source, JointDetector)


def _path_of(source: DetectorSection) -> tuple[str, ...]:
    """The key of a section that its artifacts' errors are about, if it has one."""
    return tuple(type(source).model_fields.keys() & {"path"})


def load_source(source: DetectorSection, context: Context) -> Detector:
    """The detector of one section, by the loader of its kind (`guard.settings.detectors`)."""
    load: Callable[[DetectorSection, Context], Detector] = resolve_name(source.loader)
    return load(source, context)


def load_artifact(source: ArtifactDetector, context: Context) -> Detector:
    """The detector of a section of kind `artifact`."""
    device = Device(source.device, ("detectors", context.name, "device"))
    return load_detector(source.path, context.encoder, context.threads, device)


def load_canaries(
    settings: Settings, encoder: Encoder | None, threads: int = 1
) -> dict[str, tuple[Detector, str]]:
    """By the name of the detector that each may replace: a canary, and its manifest's digest."""
    canaries = {}
    for name, canary in settings.canaries.items():
        with about("detectors", name, "canary", "path"):
            detector = load_detector(canary.path, encoder, threads, _device(settings, name))
            canaries[name] = detector, read_digest(canary.path)
    return canaries


def read_digests(settings: Settings) -> dict[str, str]:
    """The digests of the artifacts that the settings name: by detector, `NAME@canary`
    of those that may replace one, and `@encoder`."""
    found = {name: source.artifact_path for name, source in settings.detectors.items()}
    folders = {name: folder for name, folder in found.items() if folder}
    for name, canary in settings.canaries.items():
        folders[f"{name}@{CANARY}"] = canary.path
    if settings.encoder:
        folders["@encoder"] = settings.encoder.path
    return {name: read_digest(folder) for name, folder in folders.items()}


class VersionsInService(Mapping[str, str]):
    """What is in service now, by detector: `digests`, and the versions of those that change."""

    def __init__(self, digests: Mapping[str, str], detectors: Mapping[str, Detector]) -> None:
        self._digests = digests
        self._living = {name: found for name, found in detectors.items() if found.changes}

    def __getitem__(self, name: str) -> str:
        living = self._living.get(name)
        return self._digests[name] if living is None else living.current().version

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._digests, *self._living)))

    def __len__(self) -> int:
        return len(self._digests.keys() | self._living.keys())


def _device(settings: Settings, name: str) -> Device:
    """The device of a detector, by its name."""
    source = settings.detectors[name]
    chosen = source.device if isinstance(source, ArtifactDetector) else "cpu"
    return Device(chosen, ("detectors", name, "device"))


def load_detector(
    folder: Path, encoder: Encoder | None, threads: int = 1, device: Device = CPU
) -> Detector:
    """The detector in an artifact folder, by its kind; it must fit the encoder in service."""
    artifact = read(folder)
    loader = ARTIFACT_KINDS.get(artifact.manifest.kind)
    if loader is None:
        known = ", ".join(sorted(ARTIFACT_KINDS))
        raise artifact.fail("kind", f"'{artifact.manifest.kind}' is no detector (known: {known})")
    detector = loader(artifact, Context("", encoder, threads, device))
    _check_encoder(artifact, detector, encoder)
    return detector


def _check_encoder(artifact: Artifact, detector: Detector, encoder: Encoder | None) -> None:
    if detector.encoder is None:
        return
    if encoder is None:
        raise artifact.fail("encoder", "this detector needs an encoder and none is configured")
    if detector.encoder != encoder.digest:
        raise artifact.fail(
            "encoder",
            f"trained on encoder {detector.encoder[:12]}, in service is {encoder.digest[:12]}",
        )
