"""The evaluation of malicious-prompt detection: an artifact as served, and modes across sources.

Given labelled prompt sets, it measures an artifact at its own threshold, with drills, and learns
each mode anew without each source in turn. `detection_report` writes what comes of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from classifiers.encoder.features import FeatureCache, encode
from classifiers.evaluation.detection_figures import Figures, ScoredPrompts, figures
from classifiers.evaluation.drills import (
    generated_prompts,
    obfuscation_drill,
    obfuscation_families,
    padding_drill,
)
from classifiers.evaluation.feature_modes import Fit
from classifiers.evaluation.held_out_sources import (
    HeldOut,
    PromptPieces,
    leave_one_source_out,
    make_pieces,
)
from classifiers.evaluation.prompt_families import PromptFamilies
from classifiers.evaluation.served_detector import ServedDetector
from classifiers.malicious.data.near_duplicates import text_leaders
from classifiers.prompts.files import position
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.sources import READERS, read_labelled
from guard.terms.detector import Encoder, Features
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """What an evaluation depends on beside its data."""

    fpr: float = 0.01
    """What nested thresholds are set at."""
    prior: float = 0.001
    """The share of malicious prompts that PR-AUC supposes."""
    rows: int = 1000
    """The most prompts of one source and label; 0 for all."""
    folds: int = 5
    """Inner folds over the sources, for nested thresholds."""
    generated: int = 300
    """Pairs of generated prompts of each form, from the held-out half."""
    trained_twins: int = 0
    """Pairs of generated prompts of each form from the train half, in the training of modes."""
    drill_rows: int = 40
    """Prompts of each label in the drills."""
    seed: int = 0


def read_sets(places: Sequence[Path], settings: DetectionSettings) -> list[LabelledPrompt]:
    """The labelled prompts of files and folders, the source of each being its file's name.

    Prompts without a label are left out, and so is one that nearly repeats a prompt of an earlier
    source: it would be tested on a model that has seen it. ConfigError where nothing is left.
    """
    files = [file for place in places for file in _files(place)]
    found = [prompt for file in files for prompt in _labelled(file)]
    if not found:
        raise ConfigError(f"{', '.join(map(str, places))}: no labelled prompts found")
    drawn = _capped(found, settings.rows, str(settings.seed))
    leaders = text_leaders([prompt.text for prompt in drawn])
    return [p for p, leader in zip(drawn, leaders, strict=True) if drawn[leader].source == p.source]


def evaluate_artifact(
    detector: ServedDetector,
    prompts: Sequence[LabelledPrompt],
    families: PromptFamilies,
    settings: DetectionSettings,
) -> tuple[Figures, ScoredPrompts]:
    """All figures of a detector at its own threshold, generated prompts and drills among them."""
    own = _scored(detector, prompts, families)
    generated = generated_prompts("held_out", settings.generated, settings.seed)
    bad, good = (_drill_texts(prompts, label, settings) for label in ("malicious", "benign"))
    disguised = obfuscation_drill(detector.score, bad, good, detector.threshold)
    literal = detector.score_prompts(prompts, views=False, label="no views")
    ordinary = ~own.malicious
    found: Figures = {
        "threshold": detector.threshold,
        **figures(own, settings.prior, settings.seed),
        "generated": figures(_scored(detector, generated, families), settings.prior, settings.seed),
        "fpr_gained_by_views": float(
            own.fired[ordinary].mean() - (literal[ordinary] >= detector.threshold).mean()
        )
        if ordinary.any()
        else None,
        "obfuscation": disguised,
        "obfuscation_families": obfuscation_families(disguised),
        "padding": padding_drill(detector.score, bad, good, detector.threshold),
    }
    return found, own


@dataclass(frozen=True, slots=True)
class ModeResult:
    """A mode's figures, and the scored prompts behind them for the plots."""

    figures: Figures
    scored: ScoredPrompts


def evaluate_modes(
    prompts: Sequence[LabelledPrompt],
    encoder: Encoder,
    modes: Mapping[str, Fit],
    families: PromptFamilies,
    settings: DetectionSettings,
    cache: FeatureCache | None = None,
) -> dict[str, ModeResult]:
    """Leave-one-source-out of each mode on the encoder's features, and on generated prompts."""

    def encoded(texts: Sequence[str]) -> Features:
        return encode(texts, encoder, cache=cache, label="encoding")

    learned = (
        [
            *prompts,
            *generated_prompts("train", settings.trained_twins, settings.seed),
        ]
        if settings.trained_twins
        else list(prompts)
    )
    pieces = make_pieces(learned, encoded, encoder)
    generated = generated_prompts("held_out", settings.generated, settings.seed)
    unseen = make_pieces(generated, encoded, encoder)
    return {
        name: _mode(name, fit, pieces, unseen, families, settings) for name, fit in modes.items()
    }


def settings_json(settings: DetectionSettings) -> Figures:
    """The settings as a report holds them."""
    return dict(asdict(settings))


def _mode(
    name: str,
    fit: Fit,
    pieces: PromptPieces,
    unseen: PromptPieces,
    families: PromptFamilies,
    settings: DetectionSettings,
) -> ModeResult:
    def watch(sources: Sequence[str]) -> Iterator[str]:
        return _watched(sources, f"{name}: sources")

    held = leave_one_source_out(
        pieces,
        fit,
        fpr=settings.fpr,
        folds=settings.folds,
        groups=families.groups,
        watch=watch,
    )
    scored = ScoredPrompts(pieces.prompts, held.scores, held.fired, families)
    found: Figures = {
        **figures(scored, settings.prior, settings.seed),
        "thresholds": dict(held.thresholds),
        "generated": figures(_on_unseen(fit, pieces, unseen, held, families), settings.prior),
    }
    return ModeResult(found, scored)


def _on_unseen(
    fit: Fit, pieces: PromptPieces, unseen: PromptPieces, held: HeldOut, families: PromptFamilies
) -> ScoredPrompts:
    """Generated prompts by a model of all sources, at the median of the nested thresholds."""
    scorer = fit(pieces.training_rows(np.ones(len(pieces.prompts), dtype=bool)))
    scores = unseen.score(scorer, np.ones(len(unseen.prompts), dtype=bool))
    threshold = float(np.median(list(held.thresholds.values())))
    return ScoredPrompts(unseen.prompts, scores, scores >= threshold, families)


def _scored(
    detector: ServedDetector, prompts: Sequence[LabelledPrompt], families: PromptFamilies
) -> ScoredPrompts:
    scores = detector.score_prompts(prompts, label="scoring")
    return ScoredPrompts(prompts, scores, scores >= detector.threshold, families)


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    return sorted(file for file in place.iterdir() if set(file.suffixes) & READERS.keys())


def _labelled(file: Path) -> Iterator[LabelledPrompt]:
    name = file.name.split(".", 1)[0]
    for prompt in read_labelled(str(file)):
        if prompt.label != "unknown":
            yield replace(prompt, source=name)


def _capped(prompts: Sequence[LabelledPrompt], rows: int, salt: str) -> list[LabelledPrompt]:
    """At most `rows` of each source and label, by a hash of the text, in the order given."""
    if not rows:
        return list(prompts)
    groups: dict[tuple[str, str], list[LabelledPrompt]] = {}
    for prompt in prompts:
        groups.setdefault((prompt.source, prompt.label), []).append(prompt)
    return [
        prompt
        for members in groups.values()
        for prompt in sorted(members, key=lambda p: position(p.text, salt))[:rows]
    ]


def _drill_texts(
    prompts: Sequence[LabelledPrompt], label: JsonValue, settings: DetectionSettings
) -> list[str]:
    """Prompts for the drills, as many from each source as possible."""
    own = [prompt for prompt in prompts if prompt.label == label]
    salt = f"drill {settings.seed}"
    order: dict[str, list[LabelledPrompt]] = {}
    for prompt in sorted(own, key=lambda p: position(p.text, salt)):
        order.setdefault(prompt.source, []).append(prompt)
    turns = sorted((rank, p.source, p.text) for o in order.values() for rank, p in enumerate(o))
    return [text for _, _, text in turns[: settings.drill_rows]]


def _watched(items: Sequence[str], label: str) -> Iterator[str]:
    """The items, with a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, label, console=Console(stderr=True), transient=True)
