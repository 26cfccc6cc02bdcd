"""Trains the detector that ships, and sets its threshold by models that saw nothing of a source.

python -m lab.detection.ship_detector --data DIR --folds DIR [--out classifiers/malicious/shipped]

DIR of `--data` and `--folds` are those of `lab.detection.leave_sources_out`, whose figures and
logits must be there: scaling, threshold and calibration come of them, none of rows that were
learned from. Token states that the folds computed are used again.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import orjson
import typer
from numpy.typing import NDArray

from classifiers.encoder.recipe import Precision
from classifiers.encoder.source import default_source, hash_source
from classifiers.malicious.calibration import Scaling, fit_scaling, kept_scores
from classifiers.malicious.fine_tuning.artifact import (
    MAX_TOKENS,
    HeldOutFacts,
    TextModel,
    write_text_model,
)
from classifiers.malicious.fine_tuning.examples import Mixture, build_examples
from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.malicious.fine_tuning.training import fit_text_model, scaled
from classifiers.malicious.shipped import save_shipped
from classifiers.prompts.files import Prompt, fingerprint
from classifiers.prompts.labelled import LabelledPrompt
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.detectors.weights import logistic
from guard.terms.thresholds import Thresholds
from lab.detection.cross_validation import FIRST_SEED
from lab.detection.held_out_figures import balanced, family_of, group_of, weighted_quantile
from lab.detection.leave_sources_out import collect, fold_of, measured_prompts, read_sets, show

Floats = NDArray[np.float32]
FPR = 0.01
QUANTISED_ROWS = 600
"""Benign prompts by which the threshold of the int8 graph is moved."""
THRESHOLD_RULE = "99 % quantile of out-of-source benign scores, sources weighted alike"
ATTRIBUTION = {
    "aart": "AART (Radharapu et al., 2023), CC BY",
    "clinc150": "CLINC150 (Larson et al., 2019), CC BY",
    "banking77": "BANKING77 (Casanueva et al., 2020), CC BY",
    "nlu_eval": "NLU evaluation data (Liu et al., 2019), CC BY",
    "mgsm": "MGSM (Shi et al., 2022), CC BY",
}
SUMMARY = (
    "Fine-tuned MiniLM-L6 for malicious prompts: harmful requests, jailbreaks, injections. Every "
    "figure is of prompts whose source (and sources that share material with it) no model had "
    "seen: lab/detection/leave_sources_out.py. Shares under 'report' weigh sources alike.\n\n"
    f"Trained on public prompt sets; the following ask for attribution: "
    f"{'; '.join(ATTRIBUTION.values())}. The other sets are under MIT, Apache-2.0, CC0 or "
    "comparable terms; part of them was written by GPT-4."
)


def calibrate(
    measured: Sequence[LabelledPrompt], logits: Floats
) -> tuple[Scaling, float, Calibration]:
    """Scaling of logits, the scaled logit to fire at, and scores for p-values."""
    families = np.array([family_of(prompt) for prompt in measured])
    groups = np.array([group_of(prompt) for prompt in measured])
    benign = np.isin(families, ["ordinary", "hard"])
    attacks = ~benign & (families != "generated")
    scaling = fit_scaling(logits[benign], logits[attacks])
    scores = scaling.of(logits)
    limit = weighted_quantile(scores[benign], balanced(groups, benign)[benign], 1 - FPR)
    rng = np.random.default_rng(0)
    kept = (kept_scores(logistic(scores[rows]), rng) for rows in (benign, attacks))
    # A detector fires at its threshold or above; a figure counts what is above it.
    return scaling, float(np.nextafter(np.float32(limit), np.float32(np.inf))), Calibration(*kept)


def compare_precisions(
    model: TextModel, measured: Sequence[LabelledPrompt], source: Path
) -> dict[str, float]:
    """What int8 changes on benign prompts: their logits, and the logit of the last percent."""
    benign = [prompt for prompt in measured if prompt.label == "benign"]
    order = np.random.default_rng(0).permutation(len(benign))[:QUANTISED_ROWS]
    texts = [benign[int(row)].text[:800] for row in order]
    found: dict[Precision, Floats] = {}
    for precision in ("fp32", "int8"):
        with TemporaryDirectory() as folder:
            unscored = HeldOutFacts(Thresholds.constant(0.5), Calibration())
            artifact = write_text_model(
                Path(folder) / precision,
                model,
                unscored,
                source=source,
                precision=precision,
                name=precision,
            )
            found[precision] = MaliciousTextClassifier.from_artifact(artifact).logits(texts)
    plain, quantised = found["fp32"], found["int8"]
    shift = float(np.quantile(quantised, 1 - FPR) - np.quantile(plain, 1 - FPR))
    return {
        "rows": len(texts),
        "mean_drift_logits": float((quantised - plain).mean()),
        "mean_absolute_drift_logits": float(np.abs(quantised - plain).mean()),
        "largest_drift_logits": float(np.abs(quantised - plain).max()),
        "threshold_shift_logits": shift,
    }


def metrics_of(results: Mapping[str, Any]) -> dict[str, float]:
    """The figures that the manifest holds."""
    recall = results["recall"]
    found = {f"recall_at_fpr_{rate}": float(recall[rate]["sources_alike"]) for rate in recall}
    found["unseen_source_fpr"] = float(results["unseen_benign_sources"]["mean"])
    for name, figure in results["families"].items():
        for kind in ("ordinary", "hard"):
            found[f"auroc_{name}_{kind}"] = float(figure[kind])
    return found


def main(
    data: Annotated[Path, typer.Option(help="Folder of prompt sets.")],
    folds: Annotated[Path, typer.Option(help="What leave_sources_out wrote.")],
    out: Annotated[Path, typer.Option(help="Folder of the files.")] = Path(
        "classifiers/malicious/shipped"
    ),
) -> None:
    """Train on all sources, calibrate by the folds, and write the two files that ship."""
    settings, source = FineTuning(), default_source()
    results = orjson.loads((folds / "results.json").read_bytes())
    results.pop("sentence_margins", None)  # of recipes that do not ship
    prompts = read_sets(data)
    measured, padded = measured_prompts(prompts)
    owners = np.array([fold_of(prompt) for prompt in measured])
    logits = collect(folds, measured, owners, settings)
    plain = len(measured) - sum(map(len, padded.values()))
    measured = measured[:plain]
    scaling, limit, calibration = calibrate(measured, logits[:plain])
    examples = build_examples(prompts, Mixture())
    model = scaled(
        fit_text_model(examples, settings, source, folds, seed=FIRST_SEED, progress=show), scaling
    )
    int8 = compare_precisions(model, measured, source)
    # Few rows say what int8 does to the last percent: they may raise its threshold, not lower it.
    raised = max(0.0, int8["threshold_shift_logits"])
    limits = np.array([limit, limit + raised], dtype=np.float32)
    by_source: dict[str, list[Prompt]] = {}
    for prompt in sorted(prompts, key=lambda p: p.source):
        by_source.setdefault(prompt.source, []).append(Prompt(prompt.text, prompt.source))
    facts = {
        "source": hash_source(source),
        "frozen_layers": settings.frozen_layers,
        "anchor_layer": None,
        "segment": model.tower.segment,
        "max_tokens": MAX_TOKENS,
        "ngram_words": model.ngram_words,
        "windows": [list(size) for size in settings.windows],
        "sentence_margin": settings.sentence_margin,
        "thresholds": {
            name: {"score": limit}
            for name, limit in zip(("fp32", "int8"), logistic(limits).tolist(), strict=True)
        },
        "metrics": metrics_of(results),
        "report": {
            "summary": SUMMARY,
            "settings": settings.recorded(),
            "held_out": results,
            "scaling": {"slope": scaling.slope, "offset": scaling.offset},
            "attribution": ATTRIBUTION,
            "threshold_rule": THRESHOLD_RULE,
            "int8": int8,
        },
        "data": {name: fingerprint(rows).model_dump() for name, rows in by_source.items()},
    }
    save_shipped(out, model, calibration, facts)


if __name__ == "__main__":
    typer.run(main)
