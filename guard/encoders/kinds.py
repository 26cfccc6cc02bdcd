"""The kinds of encoder artifacts, and what opens each."""

from collections.abc import Callable, Mapping

from guard.artifacts.folder import Artifact, read
from guard.encoders import onnx_encoder, pooling_encoder
from guard.settings import EncoderSource
from guard.terms.detector import Encoder

KINDS: Mapping[str, Callable[[Artifact, EncoderSource, int], Encoder]] = {
    onnx_encoder.KIND: onnx_encoder.load,
    pooling_encoder.KIND: pooling_encoder.load,
}
"""By manifest kind, what makes an encoder of a verified artifact, its section and the threads."""


def load_encoder(source: EncoderSource, threads: int = 1) -> Encoder:
    """The encoder in an artifact folder, by its kind; ArtifactError names what is wrong with it."""
    artifact = read(source.path)
    kind = artifact.manifest.kind
    if kind not in KINDS:
        known = " or ".join(repr(name) for name in KINDS)
        raise artifact.fail("kind", f"expected {known}, found {kind!r}")
    return KINDS[kind](artifact, source, threads)
