"""Trains a `malicious-text` detector from labelled prompts, from windows to the artifact."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.encoder.recipe import Precision
from classifiers.encoder.source import find_source, hash_source, read_tokenizer
from classifiers.malicious.calibration import Scaling, fit_scaling, kept_scores
from classifiers.malicious.data.served_pieces import highest, served_pieces
from classifiers.malicious.fine_tuning.anchor import fit_anchor, set_anchor
from classifiers.malicious.fine_tuning.artifact import (
    HeldOutFacts,
    TextModel,
    most_tokens,
    write_text_model,
)
from classifiers.malicious.fine_tuning.examples import (
    Example,
    Mixture,
    build_examples,
    labels_of,
    weights_of,
)
from classifiers.malicious.fine_tuning.lexical import fit_table
from classifiers.malicious.fine_tuning.optimisation import Examples, train_tower
from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.malicious.fine_tuning.soup import stir_soup
from classifiers.malicious.fine_tuning.token_states import compute_states
from classifiers.prompts.files import Prompt, fingerprint
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.runs.step_progress import Progress
from classifiers.statistics.thresholds import choose_threshold
from guard.artifacts.folder import Artifact
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.terms.detector import Scores
from guard.terms.errors import ConfigError
from guard.terms.thresholds import Thresholds

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
LEXICAL_SHARE = 0.3
"""Weight of the lexical logit beside the tuned head's."""
ANCHOR_SHARE = 0.1
"""Weight of the frozen features' logit beside the tuned head's."""


def train_malicious_text(
    prompts: Sequence[LabelledPrompt],
    calibration: Sequence[LabelledPrompt],
    out: Path,
    *,
    cache: Path,
    settings: FineTuning | None = None,
    mixture: Mixture | None = None,
    source: Path | str | None = None,
    precision: Precision = "fp32",
    seed: int = 0,
    fpr: float = 0.01,
    confidence: float = 0.95,
    progress: Progress | None = None,
) -> Artifact:
    """Train on labelled `prompts`, set the threshold on `calibration`, write the artifact `out`.

    `calibration` holds prompts that are not among `prompts`, best from other sources: benign ones
    for the threshold at `fpr` and the p-values, malicious ones for the other p-values. `cache` is
    a folder for token states and checkpoints: an interrupted run goes on from there. `source` is
    the encoder to fine-tune (default: MiniLM-L6). Raises ConfigError where a class is missing.
    """
    settings, mixture = settings or FineTuning(), mixture or Mixture(seed=seed)
    _check_classes(prompts, calibration)
    folder = find_source(source)
    examples = build_examples(prompts, mixture)
    model = fit_text_model(examples, settings, folder, cache, seed=seed, progress=progress)
    # The threshold is that of the graph which will serve, so the graph is made first.
    unscaled = write_text_model(
        *(cache / "unscaled", model, HeldOutFacts(Thresholds.constant(1.0), Calibration())),
        source=folder,
        precision=precision,
        name=out.name,
    )
    logits = _logits(MaliciousTextClassifier.from_artifact(unscaled), calibration)
    benign = np.array([prompt.label == "benign" for prompt in calibration])
    malicious = np.array([prompt.label == "malicious" for prompt in calibration])
    scaling = fit_scaling(logits[benign], logits[malicious])
    found = _decided(scaling.of(logits[benign]), scaling.of(logits[malicious]), fpr, confidence)
    report: dict[str, JsonValue] = {
        "settings": settings.recorded(),
        "examples": len(examples),
        "threshold": dict(found.report),
    }
    data = {"prompts": fingerprint([Prompt(p.text, p.source) for p in prompts])}
    artifact = write_text_model(
        *(out, scaled(model, scaling), replace(found, report=report, data=data)),
        source=folder,
        precision=precision,
        name=out.name,
    )
    for checkpoints in cache.glob("checkpoints-*"):
        shutil.rmtree(checkpoints)
    return artifact


def fit_text_model(
    examples: Sequence[Example],
    settings: FineTuning,
    source: Path,
    cache: Path,
    *,
    seed: int,
    progress: Progress | None = None,
) -> TextModel:
    """Tower and table learned from examples; the encoder lies in the folder `source`."""
    labels, weights = labels_of(examples), weights_of(examples)
    texts = [example.text for example in examples]
    learned = Examples(np.arange(len(texts)), labels, weights)
    tower = _fit_tower(texts, learned, settings, source, cache, seed, progress)
    table, bias = fit_table(texts, labels, weights)
    mixing = np.array([1.0, LEXICAL_SHARE, LEXICAL_SHARE * bias], dtype=np.float32)
    return TextModel(tower, table, mixing, settings.windows, settings.sentence_margin)


def scaled(model: TextModel, scaling: Scaling) -> TextModel:
    """The model with its mixed logit, and its first stage's, scaled to a probability's."""
    mixing = model.mixing * np.float32(scaling.slope)
    mixing[2] += np.float32(scaling.offset)
    first = model.first_stage and model.first_stage.scaled(scaling)
    return replace(model, mixing=mixing, first_stage=first)


def new_tower(source: Path, frozen_layers: int, seed: int = 0) -> "Tower":
    """The tower before training, its heads drawn by the seed."""
    import torch

    from classifiers.malicious.fine_tuning.tower import load_tower

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        return load_tower(source, frozen_layers)


def tokenize(texts: Sequence[str], source: Path, most: int) -> list[list[int]]:
    """Token ids of texts, special tokens added, cut off at `most` tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(read_tokenizer(source).decode())
    tokenizer.enable_truncation(most)
    return [list(encoding.ids) for encoding in tokenizer.encode_batch(list(texts))]


def _fit_tower(
    texts: Sequence[str],
    learned: Examples,
    settings: FineTuning,
    source: Path,
    cache: Path,
    seed: int,
    progress: Progress | None,
) -> "Tower":
    tokens = tokenize(texts, source, most_tokens(source))
    new = partial(new_tower, source, settings.frozen_layers)
    states = compute_states(new(), tokens, cache, counter("states", len(texts), progress))
    count = counter("training", len(texts) * settings.epochs * settings.soup, progress)
    digest = _digest(source, texts, learned, settings)

    def train(tower: "Tower", own_seed: int) -> None:
        train_tower(
            *(tower, states, learned, settings),
            seed=own_seed,
            checkpoints=cache / f"checkpoints-{digest}-{own_seed}",
            tell=lambda rows, _: count(rows),
        )

    tower = stir_soup(new, train, seed, settings.soup)
    pools, owners = states.pools(learned.windows)
    features = states.features[pools].astype(np.float32)  # (pools, width)
    anchor = fit_anchor(features, owners, learned.labels, learned.weights)
    set_anchor(tower, *anchor, ANCHOR_SHARE)
    return tower


def _digest(source: Path, texts: Sequence[str], learned: Examples, settings: FineTuning) -> str:
    """Names what a run starts from, learns from, and how: another's checkpoint is not its own."""
    digest = hashlib.sha256(f"{hash_source(source)} {settings!r}".encode())
    for text in texts:
        digest.update(text.encode(errors="surrogatepass") + b"\0")
    for values in (learned.labels, learned.weights):
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]


def counter(step: str, total: int, progress: Progress | None) -> Callable[[int], None]:
    """What to tell how many more rows are done; it tells `progress` the sum."""
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        if progress is not None:
            progress(step, done, total)

    return count


def _logits(detector: MaliciousTextClassifier, prompts: Sequence[LabelledPrompt]) -> Scores:
    """Each prompt's highest logit over the pieces that serving would score."""
    pieces = served_pieces([prompt.text for prompt in prompts], detector)
    return highest(detector.logits(pieces.texts), pieces.owner_index, len(prompts))


def _decided(benign: Scores, malicious: Scores, fpr: float, confidence: float) -> HeldOutFacts:
    """Threshold and kept samples from the scaled logits of calibration prompts of both classes."""
    from guard.detectors.weights import logistic

    threshold = choose_threshold(logistic(benign), fpr, confidence)
    rng = np.random.default_rng(0)
    calibration = Calibration(
        kept_scores(logistic(benign), rng), kept_scores(logistic(malicious), rng)
    )
    return HeldOutFacts(
        Thresholds.constant(min(threshold.value, 1.0)), calibration, report=asdict(threshold)
    )


def _check_classes(
    prompts: Sequence[LabelledPrompt], calibration: Sequence[LabelledPrompt]
) -> None:
    for name, rows, label in (
        ("prompts", prompts, "malicious"),
        ("prompts", prompts, "benign"),
        ("calibration", calibration, "benign"),
    ):
        if not any(row.label == label for row in rows):
            raise ConfigError(f"{name}: none is labelled {label}")
