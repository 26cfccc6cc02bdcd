"""From settings and artifact folders to the encoder and detectors that screening uses."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from guard.artifacts.folder import Artifact, read, read_digest
from guard.detectors.forget.detector import KIND as FORGET
from guard.detectors.forget.detector import ForgetClassifier
from guard.detectors.forget.request_folder import RequestFolder
from guard.detectors.malicious.features import KIND as MALICIOUS
from guard.detectors.malicious.features import MaliciousClassifier
from guard.detectors.malicious.text import FEATURES, MaliciousTextClassifier
from guard.detectors.malicious.text import KIND as MALICIOUS_TEXT
from guard.detectors.names.phrases import PhraseList
from guard.encoders.onnx_encoder import KIND as ONNX
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.encoders.pooling_encoder import KIND as POOLING
from guard.encoders.pooling_encoder import PoolingEncoder
from guard.settings import (
    ArtifactDetector,
    DetectorSource,
    EncoderSource,
    ForgetRequestsDetector,
    PhraseDetector,
    Settings,
    secret,
)
from guard.terms.detector import (
    Detector,
    Encoder,
    FeatureSource,
    LivingDetector,
    WindowedEncoder,
    conforms,
)
from guard.terms.errors import ConfigError
from guard.terms.verdict import CANARY

LOADERS: Mapping[str, Callable[[Artifact, int], Detector]] = {
    FORGET: lambda artifact, _: ForgetClassifier.from_artifact(artifact),
    MALICIOUS: lambda artifact, _: MaliciousClassifier.from_artifact(artifact),
    MALICIOUS_TEXT: lambda artifact, threads: MaliciousTextClassifier.from_artifact(
        artifact, threads=threads
    ),
}
"""By manifest kind, what makes a detector of a verified artifact and the threads to read in."""


def load_detectors(
    settings: Settings, threads: int = 1
) -> tuple[WindowedEncoder | None, dict[str, Detector]]:
    """The encoder, if the settings name one, and every detector by name.

    `threads` are those in which a model that runs here reads a prompt.

    Raises ArtifactError naming the folder and what is wrong with it, ConfigError for a secret
    that is not set.
    """
    encoder = load_encoder(settings.encoder, threads) if settings.encoder else None
    sources = settings.detectors.items()
    return encoder, {name: _load(name, source, encoder, threads) for name, source in sources}


def _load(name: str, source: DetectorSource, encoder: Encoder | None, threads: int) -> Detector:
    match source:
        case PhraseDetector():
            return PhraseList(source.phrases)
        case ForgetRequestsDetector():
            if encoder is None:
                raise ConfigError(f"detectors.{name}: forget requests need `encoder`")
            return RequestFolder(source.path, encoder, reload_s=source.reload_s)
        case ArtifactDetector():
            return load_detector(source.path, encoder, threads)


def load_encoder(source: EncoderSource, threads: int = 1) -> WindowedEncoder:
    """The encoder in an artifact folder, by its kind; one that pools needs the endpoint's URL."""
    artifact = read(source.path)
    kind = artifact.manifest.kind
    if kind == ONNX:
        if source.url is not None:
            raise artifact.fail("kind", "an encoder that runs here takes no encoder.url")
        return OnnxEncoder(artifact, threads)
    if kind != POOLING:
        raise artifact.fail("kind", f"expected {ONNX!r} or {POOLING!r}, found {kind!r}")
    if source.url is None:
        raise artifact.fail("kind", "a pooling encoder needs its server's address, encoder.url")
    return PoolingEncoder.connect(
        artifact,
        source.url,
        api_key=secret(source.api_key_env) if source.api_key_env else None,
        timeout=source.timeout_s,
        connections=source.connections,
    )


def load_canaries(
    settings: Settings, encoder: WindowedEncoder | None, threads: int = 1
) -> dict[str, tuple[Detector, str]]:
    """By the name of the detector that each may replace: a canary, and its manifest's digest."""
    return {
        name: (load_detector(canary.path, encoder, threads), read_digest(canary.path))
        for name, canary in settings.canaries.items()
    }


def read_digests(settings: Settings) -> dict[str, str]:
    """The digests of the artifacts that the settings name: by detector, `NAME@canary`
    of those that may replace one, and `@encoder`."""
    folders = {
        name: choice.path
        for name, choice in settings.detectors.items()
        if isinstance(choice, ArtifactDetector)
    }
    for name, canary in settings.canaries.items():
        folders[f"{name}@{CANARY}"] = canary.path
    if settings.encoder:
        folders["@encoder"] = settings.encoder.path
    return {name: read_digest(folder) for name, folder in folders.items()}


class Versions(Mapping[str, str]):
    """What is in service now, by detector: `digests`, and the versions of those that change."""

    def __init__(self, digests: Mapping[str, str], detectors: Mapping[str, Detector]) -> None:
        self._digests = digests
        self._living = {
            name: detector
            for name, detector in detectors.items()
            if conforms(detector, LivingDetector)
        }

    def __getitem__(self, name: str) -> str:
        living = self._living.get(name)
        return self._digests[name] if living is None else living.current().version

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._digests, *self._living)))

    def __len__(self) -> int:
        return len(self._digests.keys() | self._living.keys())


def load_detector(folder: Path, encoder: Encoder | None, threads: int = 1) -> Detector:
    """The detector in an artifact folder, by its kind; it must fit the encoder in service."""
    artifact = read(folder)
    loader = LOADERS.get(artifact.manifest.kind)
    if loader is None:
        known = ", ".join(sorted(LOADERS))
        raise artifact.fail("kind", f"'{artifact.manifest.kind}' is no detector (known: {known})")
    detector = loader(artifact, threads)
    _check_encoder(artifact, detector, encoder)
    if conforms(detector, FeatureSource) and isinstance(encoder, OnnxEncoder):
        same = artifact.manifest.recipe.get(FEATURES) == encoder.recipe
        detector.features_of = encoder.digest if same else None
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
