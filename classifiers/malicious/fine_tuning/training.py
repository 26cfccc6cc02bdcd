"""Trains a `malicious-text` detector from labelled prompts, from windows to the artifact."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
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
    Measured,
    TextModel,
    most_tokens,
    write_text_model,
)
from classifiers.malicious.fine_tuning.examples import (
    Example,
    Mixture,
    build_examples,
    groups_of,
    labels_of,
    weights_of,
)
from classifiers.malicious.fine_tuning.lexical import BUCKETS, STRENGTH, fit_table
from classifiers.malicious.fine_tuning.optimisation import Examples, Optimisation, train_tower
from classifiers.malicious.fine_tuning.soup import stir_soup
from classifiers.malicious.fine_tuning.token_states import compute_states
from classifiers.prompts.files import Prompt, fingerprint
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.thresholds import choose_threshold
from guard.artifacts.folder import Artifact
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.text import MOST_MARGIN, MOST_SIZES, MaliciousTextClassifier
from guard.terms.detector import WINDOWS, Scores, WindowSize
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
Progress = Callable[[str, int, int], None]
"""Told the stage's name, how much is done and how much there is."""


@dataclass(frozen=True, slots=True)
class FineTuning:
    """All choices of a training; the defaults are those of the shipped detector."""

    mixture: Mixture = field(default_factory=Mixture)
    optimisation: Optimisation = field(default_factory=Optimisation)
    soup: int = 3
    """Runs whose weights are averaged, each with the next seed."""
    frozen_layers: int = 3
    source_balance: float = 0.5
    """0: all windows of a class weigh alike; 1: all its sources do."""
    segment: int = 32
    """Tokens of the overlapping segments that a window is judged by; 0: by the whole alone."""
    buckets: int = BUCKETS
    lexical_strength: float = STRENGTH
    lexical_share: float = 0.3
    """Weight of the lexical logit beside the tuned head's."""
    anchor_share: float = 0.1
    """Weight of the frozen features' logit beside the tuned head's; 0 saves their layers."""
    windows: tuple[WindowSize, ...] = WINDOWS
    """Which windows of a text are scored, in calibration and in serving."""
    sentence_margin: float | None = 0.5
    """By how many log odds a sentence counts less than a window; None: sentences are not read."""

    def __post_init__(self) -> None:
        if self.sentence_margin is not None and not 0 <= self.sentence_margin <= MOST_MARGIN:
            raise ValueError(f"sentence_margin: expected a number from 0 to {MOST_MARGIN:g}")
        if self.soup < 1:
            raise ValueError("soup: expected at least one run")
        if not 0 <= self.source_balance <= 1:
            raise ValueError("source_balance: expected a number from 0 to 1")
        usable = [8 <= size.characters >= 2 * size.overlap >= 0 for size in self.windows]
        if not 0 < sum(usable) == len(usable) <= MOST_SIZES:
            raise ValueError(f"windows: 1 to {MOST_SIZES}, each overlap at most half of the size")

    def report(self) -> dict[str, JsonValue]:
        """The choices as a report holds them."""
        return {**asdict(self), "windows": [list(size) for size in self.windows]}


def train_malicious_text(
    prompts: Sequence[LabelledPrompt],
    calibration: Sequence[LabelledPrompt],
    out: Path,
    *,
    cache: Path,
    recipe: FineTuning | None = None,
    source: Path | str | None = None,
    precision: Precision = "fp32",
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
    recipe = recipe or FineTuning()
    _check_classes(prompts, calibration)
    folder = find_source(source)
    examples = build_examples(prompts, recipe.mixture)
    model = fit_text_model(examples, recipe, folder, cache, progress)
    draft_out = cache / "unscaled"
    unscaled = write_text_model(
        draft_out, model, _unmeasured(), source=folder, precision=precision, name=out.name
    )
    logits = _logits(MaliciousTextClassifier.from_artifact(unscaled), calibration)
    benign = np.array([prompt.label == "benign" for prompt in calibration])
    malicious = np.array([prompt.label == "malicious" for prompt in calibration])
    scaling = fit_scaling(logits[benign], logits[malicious])
    measured = _measured(scaling.of(logits[benign]), scaling.of(logits[malicious]), fpr, confidence)
    report: dict[str, JsonValue] = {
        "recipe": recipe.report(),
        "examples": len(examples),
        "threshold": measured.report,  # type: ignore[dict-item]
    }
    final = Measured(
        measured.threshold,
        measured.calibration,
        report=report,
        data={"prompts": fingerprint([Prompt(p.text, p.source) for p in prompts])},
    )
    return write_text_model(
        out,
        scaled(model, scaling),
        final,
        source=folder,
        precision=precision,
        name=out.name,
    )


def fit_text_model(
    examples: Sequence[Example],
    recipe: FineTuning,
    source: Path,
    cache: Path,
    progress: Progress | None = None,
) -> TextModel:
    """Tower and table learned from examples; the encoder lies in the folder `source`."""
    labels, weights = labels_of(examples), weights_of(examples, recipe.source_balance)
    texts = [example.text for example in examples]
    learned = Examples(np.arange(len(texts)), labels, weights, groups_of(examples))
    tower = _fit_tower(texts, learned, recipe, source, cache, progress)
    table, bias = fit_table(
        texts, labels, weights, buckets=recipe.buckets, strength=recipe.lexical_strength
    )
    share = recipe.lexical_share
    mixing = np.array([1.0, share, share * bias], dtype=np.float32)
    return TextModel(tower, table, mixing, recipe.windows, recipe.sentence_margin)


def scaled(model: TextModel, scaling: Scaling) -> TextModel:
    """The model with its mixed logit scaled to a probability's."""
    mixing = model.mixing * np.float32(scaling.slope)
    mixing[2] += np.float32(scaling.offset)
    return replace(model, mixing=mixing)


def new_tower(source: Path, recipe: FineTuning, seed: int = 0) -> "Tower":
    """The tower before training, its heads drawn by the seed."""
    import torch

    from classifiers.malicious.fine_tuning.tower import load_tower

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        return load_tower(source, recipe.frozen_layers, recipe.segment)


def tokenize(texts: Sequence[str], source: Path, most: int) -> list[list[int]]:
    """Token ids of texts, special tokens added, cut off at `most` tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(read_tokenizer(source).decode())
    tokenizer.enable_truncation(most)
    return [list(encoding.ids) for encoding in tokenizer.encode_batch(list(texts))]


def _fit_tower(
    texts: Sequence[str],
    learned: Examples,
    recipe: FineTuning,
    source: Path,
    cache: Path,
    progress: Progress | None,
) -> "Tower":
    tokens = tokenize(texts, source, most_tokens(source))
    count_states = counter("states", len(texts), progress)
    states = compute_states(new_tower(source, recipe), tokens, cache, count_states)
    count = counter("training", len(texts) * recipe.optimisation.epochs * recipe.soup, progress)

    def train(tower: "Tower", run: Optimisation) -> None:
        train_tower(
            tower,
            states,
            learned,
            run,
            checkpoint=cache / f"checkpoint-{digest}-{run.seed}.safetensors",
            report=lambda rows, _: count(rows),
        )

    digest = _digest(source, texts, learned, recipe)
    runs = recipe.soup
    tower = stir_soup(partial(new_tower, source, recipe), train, recipe.optimisation, runs)
    if recipe.anchor_share:
        pools, owners = states.pools(learned.windows)
        features = states.features[pools].astype(np.float32)
        anchor = fit_anchor(features, owners, learned.labels, learned.weights)
        set_anchor(tower, *anchor, recipe.anchor_share)
    return tower


def _digest(source: Path, texts: Sequence[str], learned: Examples, recipe: FineTuning) -> str:
    """Names what a run starts from, learns from, and how: another's checkpoint is not its own."""
    digest = hashlib.sha256(f"{hash_source(source)} {recipe!r}".encode())
    for text in texts:
        digest.update(text.encode(errors="surrogatepass") + b"\0")
    for values in (learned.labels, learned.weights):
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]


def counter(stage: str, total: int, progress: Progress | None) -> Callable[[int], None]:
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        if progress is not None:
            progress(stage, done, total)

    return count


def _logits(detector: MaliciousTextClassifier, prompts: Sequence[LabelledPrompt]) -> Scores:
    """Each prompt's highest logit over the pieces that serving would score."""
    pieces = served_pieces([prompt.text for prompt in prompts], detector)
    return highest(detector.logits(pieces.texts), pieces.owner_index, len(prompts))


def _unmeasured() -> Measured:
    return Measured(1.0, Calibration())


def _measured(benign: Scores, malicious: Scores, fpr: float, confidence: float) -> Measured:
    from guard.detectors.weights import logistic

    threshold = choose_threshold(logistic(benign), fpr, confidence)
    rng = np.random.default_rng(0)
    calibration = Calibration(
        kept_scores(logistic(benign), rng), kept_scores(logistic(malicious), rng)
    )
    return Measured(
        min(threshold.value, 1.0),
        calibration,
        report=asdict(threshold),
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
