"""Makes an artifact of a Hugging Face sequence classifier: `ecoguard-train import`.

The graph gives probabilities; ONNX Runtime's are compared with torch's before anything is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from classifiers.encoder.drift import sample_prompts
from classifiers.encoder.onnx_conversion import convert, quiet
from classifiers.encoder.recipe import Precision
from classifiers.encoder.source import CONFIG, WEIGHTS, cut_long_words, fetch_files
from classifiers.runs.digests import file_digest
from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import draft
from guard.detectors.classifier import CLASSES, KIND, MULTI_LABEL, UNSAFE
from guard.encoders.onnx_encoder import MODEL, OnnxEncoder
from guard.encoders.tokenizer import TOKENIZER
from guard.settings.problems import suggestion
from guard.terms.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from torch import nn

MOST_TOKENS = 512
MOST_DIFFERENCE: Mapping[Precision, float] = {"fp32": 1e-3, "int8": 0.1}
"""Of a probability of ONNX Runtime's to torch's, on any sample prompt."""
FETCHED = (CONFIG, WEIGHTS, "*token*", "*.model", "vocab*", "merges.txt")


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classifier as it was loaded: its module, its tokenizer, its classes in order."""

    module: "nn.Module"
    tokenizer: Any
    classes: tuple[str, ...]
    multi_label: bool
    max_tokens: int


def import_classifier(
    out: Path,
    source: str,
    unsafe: Sequence[str],
    *,
    precision: Precision = "fp32",
    max_tokens: int = MOST_TOKENS,
    threshold: float = 0.5,
) -> Artifact:
    """Write the artifact of the classifier in `source`, a folder or OWNER/NAME[@REVISION].

    `unsafe` are the classes that are bad. Raises ConfigError where the source or a class cannot be
    used, ArtifactError where ONNX Runtime computes something else than torch.
    """
    folder = Path(source) if Path(source).exists() else fetch_files("source", source, FETCHED)
    with TemporaryDirectory(prefix="ecoguard-import-") as scratch, quiet():
        loaded = _load(folder, max_tokens)
        _check_classes(unsafe, loaded.classes)
        content = convert(loaded.module, Path(scratch), precision, ["probabilities"])
        files = {MODEL: content, TOKENIZER: cut_long_words(loaded.tokenizer.backend_tokenizer)}
        recipe: dict[str, JsonValue] = {
            "source": [file_digest(folder / name) for name in (CONFIG, WEIGHTS)],
            "width": len(loaded.classes),
            "max_tokens": loaded.max_tokens,
            "batched": precision == "fp32",
            CLASSES: list(loaded.classes),
            UNSAFE: list(unsafe),
            MULTI_LABEL: loaded.multi_label,
        }
        name = folder.name if Path(source).exists() else source
        manifest = draft(KIND, name, recipe=recipe, thresholds={"score": threshold})
        trial = write(Path(scratch) / "artifact", manifest, files=files)
        difference = _difference(OnnxEncoder(trial), loaded)
        if not difference <= MOST_DIFFERENCE[precision]:  # NaN must fail too
            raise ArtifactError(
                f"artifact {out}: {MODEL}: a probability is {difference:.2g} from torch's, "
                f"allowed {MOST_DIFFERENCE[precision]:g}"
            )
        metrics = {"difference_largest": difference}
        return write(out, manifest.model_copy(update={"metrics": metrics}), files=files)


def _load(folder: Path, max_tokens: int) -> Classifier:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from classifiers.encoder.class_probabilities import ClassProbabilities

    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, dtype="float32", use_safetensors=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, use_fast=True)
    except Exception as error:  # the library's classes share no narrower base
        said = f"no sequence classifier that can be read ({type(error).__name__}: {error})"
        raise ConfigError(f"{folder}: {said}") from error
    config = model.config
    multi_label = config.problem_type == "multi_label_classification"
    if config.num_labels < 2 and not multi_label:
        raise ConfigError(f"{folder / CONFIG}: a score of one class is no probability")
    return Classifier(
        ClassProbabilities(model.eval(), multi_label=multi_label).eval(),
        tokenizer,
        tuple(str(config.id2label[at]) for at in range(config.num_labels)),
        multi_label,
        min(max_tokens, _longest(config, tokenizer)),
    )


def _longest(config: Any, tokenizer: Any) -> int:
    """The longest input that the model has positions for."""
    positions = int(getattr(config, "max_position_embeddings", MOST_TOKENS) or MOST_TOKENS)
    if "roberta" in str(config.model_type):  # its positions begin behind the padding's
        positions -= int(config.pad_token_id or 0) + 1
    return min(positions, int(tokenizer.model_max_length), MOST_TOKENS)


def _check_classes(unsafe: Sequence[str], classes: Sequence[str]) -> None:
    said = f"the model's classes are {', '.join(classes)}"
    if not unsafe:
        raise ConfigError(f"--unsafe: say which classes are bad; {said}")
    for name in unsafe:
        if name not in classes:
            asked = suggestion(name, classes)
            raise ConfigError(f"--unsafe: no class '{name}'{asked}; {said}")
    if len(set(unsafe)) == len(classes):
        raise ConfigError(f"--unsafe: some class must be good; {said}")


def _difference(encoder: OnnxEncoder, loaded: Classifier) -> float:
    """The largest difference of a probability, over sample prompts one by one and in a batch."""
    import torch

    prompts = sample_prompts()
    found = encoder.encode(prompts)
    largest = 0.0
    for prompt, row in zip(prompts, found, strict=True):
        ids = torch.tensor([encoder.token_ids(prompt)])
        with torch.no_grad():
            wanted = loaded.module(ids, torch.ones_like(ids))[0].numpy()
        largest = max(largest, float(np.abs(row - wanted).max()))
    return largest
