"""From settings and artifact folders to the encoder and detectors that screening uses."""

from collections.abc import Callable, Mapping
from pathlib import Path

from guard.artifacts import Artifact, read
from guard.detectors.contract import Detector, Encoder, WindowedEncoder
from guard.detectors.forget import KIND as FORGET
from guard.detectors.forget import ForgetClassifier
from guard.detectors.phrases import PhraseList
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.settings import PhraseDetector, Settings

LOADERS: Mapping[str, Callable[[Artifact], Detector]] = {FORGET: ForgetClassifier.from_artifact}
"""By manifest kind, what makes a detector of a verified artifact."""


def load_detectors(settings: Settings) -> tuple[WindowedEncoder | None, dict[str, Detector]]:
    """The encoder, if the settings name one, and every detector by name.

    Raises ArtifactError naming the folder and what is wrong with it.
    """
    source = settings.encoder
    encoder = OnnxEncoder.load(source.path, threads=source.threads) if source else None
    detectors: dict[str, Detector] = {}
    for name, choice in settings.detectors.items():
        if isinstance(choice, PhraseDetector):
            detectors[name] = PhraseList(choice.phrases)
        else:
            detectors[name] = load_detector(choice.path, encoder)
    return encoder, detectors


def load_detector(folder: Path, encoder: Encoder | None) -> Detector:
    """The detector in an artifact folder, by its kind; it must fit the encoder in service."""
    artifact = read(folder)
    loader = LOADERS.get(artifact.manifest.kind)
    if loader is None:
        known = ", ".join(sorted(LOADERS))
        raise artifact.fail("kind", f"'{artifact.manifest.kind}' is no detector (known: {known})")
    detector = loader(artifact)
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
