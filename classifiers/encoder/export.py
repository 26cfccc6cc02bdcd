"""Exports a Hugging Face encoder to the artifact that `guard.encoders.OnnxEncoder` runs.

`ecoguard-train encoder` starts it; every classifier is trained on what it writes.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from pydantic import JsonValue

from classifiers.encoder.drift import Drift, drift_between, milliseconds_by_length, sample_prompts
from classifiers.encoder.onnx_conversion import convert, quiet
from classifiers.encoder.recipe import Precision, Recipe, recipe_of
from classifiers.encoder.source import DEFAULT_PACKAGE, find_source, read_tokenizer
from guard.artifacts.folder import Artifact, read, write
from guard.artifacts.manifest import Manifest, draft
from guard.encoders.onnx_encoder import KIND, MODEL, OnnxEncoder
from guard.encoders.tokenizer import TOKENIZER
from guard.terms.errors import ArtifactError

if TYPE_CHECKING:
    from torch import nn

MOST_DRIFT: Mapping[Precision, float] = {"fp32": 1e-5, "int8": 0.05}
"""Largest cosine distance to torch's features that an export may have on any sample prompt."""


def export_encoder(
    out: Path,
    *,
    source: Path | str | None = None,
    precision: Precision = "fp32",
    max_tokens: int = 256,
    layer: int | None = None,
    most_drift: float | None = None,
) -> Artifact:
    """Export the encoder in `source` (default: MiniLM-L6) to the artifact folder `out`.

    `source` is a folder, or a name on Hugging Face's hub. The features are what the model's
    own pooling makes of its output, or of the hidden `layer` (0 is the embeddings). An artifact of
    the same recipe that is already there is returned as it is. Raises ConfigError for a source
    that cannot be used, ArtifactError when the export's features differ from torch's by more than
    `most_drift` (cosine distance) on a sample prompt.
    """
    folder = find_source(source)
    recipe = recipe_of(folder, precision, max_tokens, layer)
    if present := _present(out, recipe):
        return present
    with TemporaryDirectory(prefix="ecoguard-encoder-") as scratch, quiet():
        started = perf_counter()
        model = _load_model(folder, recipe)
        content = convert(model, Path(scratch), precision, ["features"])
        files = {MODEL: content, TOKENIZER: read_tokenizer(folder)}
        manifest = draft(KIND, _name(source), recipe=recipe.recorded())
        seconds = perf_counter() - started
        trial = write(Path(scratch) / "artifact", manifest, files=files)
        encoder = OnnxEncoder(trial)
        drift = drift_between(encoder, model, sample_prompts())
        check_drift(out, drift, MOST_DRIFT[precision] if most_drift is None else most_drift)
        return _publish(out, manifest, files, encoder, drift, seconds)


def _publish(
    out: Path,
    manifest: Manifest,
    files: Mapping[str, bytes],
    encoder: OnnxEncoder,
    drift: Drift,
    seconds: float,
) -> Artifact:
    latency = milliseconds_by_length(encoder)
    report: dict[str, JsonValue] = {
        "export_seconds": round(seconds, 2),
        "bytes": {name: len(content) for name, content in files.items()},
        "cosine_drift": {"mean": drift.mean, "largest": drift.largest, "prompts": drift.prompts},
        "milliseconds_per_prompt": {str(tokens): ms for tokens, ms in latency.items()},
        "versions": _versions(),
    }
    metrics = {"drift_mean": drift.mean, "drift_largest": drift.largest}
    return write(out, manifest.model_copy(update={"metrics": metrics}), files=files, report=report)


def check_drift(out: Path, drift: Drift, most: float) -> None:
    """Raise ArtifactError when an export is further than `most` from torch on some prompt."""
    if not drift.largest <= most:  # NaN must fail too
        raise ArtifactError(
            f"artifact {out}: {MODEL}: drifts {drift.largest:.2g} from torch, allowed {most:.2g}"
        )


def _name(source: Path | str | None) -> str:
    """A folder's own name, a hub's name whole."""
    if source is None:
        return DEFAULT_PACKAGE
    return Path(source).name if Path(source).exists() else str(source)


def _present(out: Path, recipe: Recipe) -> Artifact | None:
    """The artifact at `out` if it is whole and of this very recipe."""
    try:
        artifact = read(out, KIND)
    except ArtifactError:
        return None
    return artifact if artifact.manifest.recipe == recipe.recorded() else None


def _load_model(folder: Path, recipe: Recipe) -> "nn.Module":
    """Transformer, pooling and normalisation as one module: (ids, mask) -> unit features."""
    from transformers import AutoModel

    from classifiers.encoder.pooled import PooledEncoder

    backbone = AutoModel.from_pretrained(folder, local_files_only=True, dtype="float32")
    return PooledEncoder(backbone, recipe.pooling, recipe.layer).eval()


def _versions() -> dict[str, JsonValue]:
    import onnx
    import onnxruntime
    import torch
    import transformers

    modules = (onnx, onnxruntime, torch, transformers)
    return {module.__name__: str(module.__version__) for module in modules}
