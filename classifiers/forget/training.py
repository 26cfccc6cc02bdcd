"""Trains the classifier of one forget request and writes it as the artifact that serving loads.

Prompts -> disguises and swaps -> features -> head, exemplars -> threshold -> artifact. The recipe
follows ECO (arXiv 2406.07933, section 3: a binary prompt classifier, class-weighted, with a
threshold from held-out data) on a shared frozen encoder, so that a request takes seconds and
touches no other.

Every rate reported is of prompts that were not learned from.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.encoder.features import FeatureCache, encode
from classifiers.forget.derived_names import derive_names
from classifiers.forget.evaluation import probability
from classifiers.forget.fit import Fitted, Levels, ThresholdMethod, fit
from classifiers.forget.report_page import forget_page, verdict
from classifiers.forget.rows import (
    Copies,
    Encoded,
    Mask,
    Rows,
    companions,
    harmless_rows,
    join,
    request_rows,
)
from classifiers.prompts.files import Prompt, dedupe, fingerprint
from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import PAGE, draft
from guard.detectors.forget.detector import EXEMPLAR_BIASES, EXEMPLARS, KIND, LONE_NAMES, NAMES
from guard.detectors.names.matcher import NameIndex
from guard.terms.detector import Encoder
from guard.terms.errors import ConfigError

FEWEST_FORGET, FEWEST_RETAIN = 5, 20
NAMES_IN_RETAIN = 0.005
"""The share of retain prompts that may hold a name of the request."""


@dataclass(frozen=True, slots=True)
class ForgetRecipe:
    """How a forget classifier is trained.

    `fpr` is the false-positive rate that a set of `requests` may have together, `fnr` the rate of
    missed forget prompts aimed at; `alpha` is the error level of conformal thresholds.
    """

    threshold: ThresholdMethod = "simple"
    fpr: float = 0.001
    requests: int = 1000
    fnr: float = 0.01
    confidence: float = 0.95
    alpha: float = 0.01
    forget_copies: int = 4
    retain_copies: int = 1
    swapped_copies: int = 4
    name_copies: int = 4
    strengths: tuple[float, ...] = (1.0, 10.0)
    seed: int = 0

    @property
    def copies(self) -> Copies:
        """How many versions of each prompt are made."""
        return Copies(
            forget=self.forget_copies,
            retain=self.retain_copies,
            swapped=self.swapped_copies,
            names=self.name_copies,
            seed=self.seed,
        )

    @property
    def levels(self) -> Levels:
        """The errors allowed to one request."""
        return Levels(
            method=self.threshold,
            fpr=self.fpr / self.requests,
            fnr=self.fnr,
            confidence=self.confidence,
            alpha=self.alpha,
        )


@dataclass(frozen=True, slots=True)
class Background:
    """Retain prompts that many requests share, encoded once."""

    prompts: tuple[Prompt, ...]
    encoded: Encoded

    @classmethod
    def of(
        cls,
        prompts: Sequence[Prompt],
        encoder: Encoder,
        recipe: ForgetRecipe,
        *,
        cache: Path | None = None,
        progress: bool = False,
    ) -> "Background":
        """The prompts, their disguises and the features of both."""
        kept = dedupe(prompts)
        rows = harmless_rows(kept, recipe.copies)
        nobody = np.zeros(len(rows.texts), dtype=np.bool_)
        return cls(tuple(kept), encode_rows(rows, nobody, encoder, cache, progress))

    def for_request(self, names: Sequence[str], lone: Sequence[str]) -> Encoded:
        """Its rows, with those marked that hold a name."""
        encoded = self.encoded
        named = mark_named(encoded.rows.texts, names, lone)
        return Encoded(encoded.rows, encoded.features, encoded.starts, named)


def train_forget(
    name: str,
    forget: Sequence[Prompt],
    retain: Sequence[Prompt],
    encoder: Encoder,
    out: Path,
    *,
    names: Sequence[str] = (),
    nicknames: Sequence[str] = (),
    recipe: ForgetRecipe | None = None,
    background: Background | None = None,
    cache: Path | None = None,
    progress: bool = False,
    origin: str = "",
) -> Artifact:
    """Train and write the classifier of a request called `name`; returns the artifact.

    `names` are the request's names and aliases: evidence at serving, and what is swapped for
    strangers' names in training; `nicknames` are served beside the derived lone names. `background`
    are retain prompts beside the request's own, `cache` is a folder for features, `origin` is noted
    in the manifest. Raises ConfigError when there are too few prompts, or when retain prompts hold
    the names.
    """
    started = perf_counter()
    recipe = recipe or ForgetRecipe()
    shared = background.prompts if background else ()
    forget, retain, own = _checked(forget, retain, shared)
    rows = harmless_rows(own, recipe.copies)
    derived = derive_names(names, [prompt.text for prompt in retain], encoder)
    lone = tuple(dict.fromkeys((*derived.lone, *nicknames)))
    asked = request_rows(forget, names, lone, companions(retain), recipe.copies)
    everything = rows.with_rows(asked)
    named = mark_named(everything.texts, names, lone)
    encoded = encode_rows(everything, named, encoder, cache, progress)
    if background:
        encoded = join(background.for_request(names, lone), encoded)
    _check_names(encoded)
    fitted = fit(encoded, recipe.levels, recipe.strengths)
    seconds = perf_counter() - started
    report = {
        **_report(fitted),
        "derived_names": derived.report(),
        "seconds": round(seconds, 2),
    }
    return write(
        out,
        draft(
            KIND,
            name,
            encoder=encoder.digest,
            thresholds={"score": probability(fitted.bounds.value)},
            metrics=_metrics(fitted),
            recipe={**recorded(recipe), **({"origin": origin} if origin else {})},
            data={"forget": fingerprint(forget), "retain": fingerprint(retain)},
        ),
        tensors=_tensors(fitted),
        files={**_name_files(names, lone), PAGE: forget_page(name, report)},
        report={"summary": verdict(report), **report},
    )


def encode_rows(
    rows: Rows, named: Mask, encoder: Encoder, cache: Path | None, progress: bool
) -> Encoded:
    """The rows with the features of their pieces; `named` (n,) are those with a name."""
    pieces = rows.pieces()
    features = encode(
        [text for row in pieces for text in row],
        encoder,
        cache=FeatureCache(cache) if cache else None,
        label="encoding" if progress else None,
    )
    counts = np.array([len(row) for row in pieces], dtype=np.int_)
    starts = np.cumsum(counts) - counts
    return Encoded(rows, features, starts, named)


def mark_named(texts: Sequence[str], names: Sequence[str], lone: Sequence[str]) -> Mask:
    """Which texts hold one of the names, shape (n,), as serving finds them."""
    index = NameIndex([names], [lone])
    return np.array([bool(index.owners(text)) for text in texts], dtype=np.bool_)


def _checked(
    forget: Sequence[Prompt], retain: Sequence[Prompt], shared: Sequence[Prompt]
) -> tuple[list[Prompt], list[Prompt], list[Prompt]]:
    """Forget prompts, all retain prompts and the request's own ones, without duplicates.

    A prompt in both is an error, as are too few.
    """
    forget, kept = dedupe(forget), dedupe([*shared, *retain])
    own = kept[len(shared) :]
    for kind, prompts, fewest in (
        ("forget", forget, FEWEST_FORGET),
        ("retain", kept, FEWEST_RETAIN),
    ):
        groups = len({prompt.group for prompt in prompts})
        if groups < fewest:
            raise ConfigError(f"{kind} prompts: {groups} distinct groups, at least {fewest} needed")
    if len(dedupe([*forget, *kept])) < len(forget) + len(kept):
        raise ConfigError("retain prompts: at least one is among the forget prompts too")
    return forget, kept, own


def _check_names(encoded: Encoded) -> None:
    plain = encoded.kind("plain") & (encoded.labels == 0)
    if encoded.named[plain].mean() > NAMES_IN_RETAIN:
        raise ConfigError(
            f"retain prompts: too many hold one of the request's names: more than "
            f"{NAMES_IN_RETAIN:.1%} of them; remove them, or the name"
        )


def _tensors(fitted: Fitted) -> dict[str, NDArray[np.generic]]:
    exemplars = fitted.recognised.exemplars
    found: dict[str, NDArray[np.generic]] = {
        "weight": fitted.head.weight,
        "bias": np.array([fitted.head.bias], dtype=np.float32),
    }
    if len(exemplars.biases):
        found |= {EXEMPLARS: exemplars.weights, EXEMPLAR_BIASES: exemplars.biases}
    return found


def _name_files(names: Sequence[str], lone: Sequence[str]) -> dict[str, bytes]:
    found = {NAMES: orjson.dumps(list(names))}
    return found | ({LONE_NAMES: orjson.dumps(list(lone))} if lone else {})


def _metrics(fitted: Fitted) -> dict[str, float]:
    plain = fitted.rates(plain=True, names=True)
    disguised = fitted.rates(plain=False, names=True)
    return {
        "auroc": fitted.auroc,
        "fnr": plain.false_negative,
        "fpr": plain.false_positive,
        "fnr_disguised": disguised.false_negative,
        "fpr_disguised": disguised.false_positive,
        "known_missed": float(fitted.known_missed),
    }


def _report(fitted: Fitted) -> dict[str, JsonValue]:
    bounds = fitted.bounds
    return {
        "auroc_head": fitted.auroc,
        "threshold": {
            "value": probability(bounds.value),
            "log_odds": bounds.value,
            "bound": bounds.benign.value,
            "method": bounds.benign.method,
            "retain_rows": bounds.benign.rows,
            "finds_forget": bounds.finds_forget,
        },
        "guarantee": fitted.promise or None,
        "exemplars": {
            "count": len(fitted.recognised.exemplars.biases),
            "ambiguous": fitted.recognised.ambiguous,
        },
        "known_missed": fitted.known_missed,
        "prompts": fitted.rates(plain=True, names=True).report(),
        "disguised": fitted.rates(plain=False, names=True).report(),
        "strangers": fitted.swapped().report(),
        "prompts_head_alone": fitted.rates(plain=True, names=False).report(),
        "disguised_head_alone": fitted.rates(plain=False, names=False).report(),
        "strength": fitted.head.strength,
    }


def recorded(recipe: ForgetRecipe) -> dict[str, JsonValue]:
    """The recipe as the manifest keeps it."""
    return {**asdict(recipe), "strengths": list(recipe.strengths)}
