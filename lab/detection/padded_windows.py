"""What harmless padding does to a detector, by the windows in which it reads.

python -m lab.detection.padded_windows --artifact DIR --data DIR --out FILE --size 800 --size 300

DIR holds gzipped JSON Lines with text and label. Of each set a few rows of each label are scored,
and the attacks again with harmless text around them, in windows of each size alone, without views.
Rows without a label come from sets that no detector has learned from.
"""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import orjson
import typer
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.evaluation.drills import padding
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.screening.cutting.windows import cut
from guard.terms.detector import WindowSize

ROWS = {"malicious": 5, "benign": 14}
"""Of each set."""
UNLABELLED = ("hh_harmless_test",)
UNLABELLED_ROWS = 80
LONGEST = 4_000
AROUND = (200, 1_000)
OVERLAPS = {800: 200, 400: 100, 300: 100, 150: 50}
BATCH = 256

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt of a set."""

    label: str
    text: str


def read_rows(folder: Path, seed: int) -> list[Row]:
    """A few rows of each label of each set, the same ones for a seed."""
    rng = np.random.default_rng(seed)
    found: list[Row] = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file) as lines:
            rows = [orjson.loads(line) for line in lines]
        unlabelled = UNLABELLED_ROWS if file.name.split(".")[0] in UNLABELLED else 0
        for label, most in {**ROWS, "unknown": unlabelled}.items():
            own = [row for row in rows if row["label"] == label]
            chosen = rng.permutation(len(own))[:most]
            found += [Row(label, own[int(row)]["text"][:LONGEST]) for row in chosen]
    return found


def padded(text: str, characters: int) -> str:
    """The text with so many characters of harmless text on both sides."""
    around = padding(characters)
    return f"{around}\n{text}\n{around}" if characters else text


def logits(
    detector: MaliciousTextClassifier, texts: Sequence[str], size: WindowSize
) -> tuple[Scores, int]:
    """Each text's highest logit over its windows, (n,), and how many characters were read."""
    windows = [cut(text, *size) for text in texts]
    distinct = sorted({window for own in windows for window in own}, key=len)
    known: dict[str, float] = {}
    for start in range(0, len(distinct), BATCH):
        batch = distinct[start : start + BATCH]
        known.update(zip(batch, detector.logits(batch).tolist(), strict=True))
    highest = [max(known[window] for window in own) for own in windows]
    return np.array(highest, dtype=np.float32), sum(len(w) for own in windows for w in own)


def figures(rows: Sequence[Row], detector: MaliciousTextClassifier, size: int) -> JsonValue:
    """Shares that fire, plain and padded, at the artifact's threshold."""
    limit = float(np.log(detector.threshold / (1 - detector.threshold)))
    window = WindowSize(size, OVERLAPS[size])
    found: dict[str, JsonValue] = {}
    for label in (*ROWS, "unknown"):
        texts = [row.text for row in rows if row.label == label]
        plain, characters = logits(detector, texts, window)
        found[label] = {
            "rows": len(texts),
            "fires": float((plain >= limit).mean()),
            "quantile_0.99": float(np.quantile(plain, 0.99)),
            "characters_read": characters / max(1, sum(map(len, texts))),
        }
        for around in AROUND if label != "benign" else ():
            scores, _ = logits(detector, [padded(text, around) for text in texts], window)
            found[f"{label}, {around} around"] = {
                "fires": float((scores >= limit).mean()),
                "lost": float(((plain >= limit) & (scores < limit)).mean()),
            }
    return found


def main(
    artifact: Annotated[Path, typer.Option(help="Artifact of kind malicious-text.")],
    data: Annotated[Path, typer.Option(help="Folder of prompt sets.")],
    out: Annotated[Path, typer.Option(help="JSON of the figures.")],
    size: Annotated[list[int], typer.Option(help=f"Characters: {', '.join(map(str, OVERLAPS))}.")],
    seed: Annotated[int, typer.Option(help="Seed of the rows.")] = 11,
) -> None:
    """Score rows plain and padded in windows of each size; write and print the figures."""
    detector = MaliciousTextClassifier.load(artifact)
    rows = read_rows(data, seed)
    found = {str(one): figures(rows, detector, one) for one in size}
    out.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    typer.echo(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    typer.run(main)
