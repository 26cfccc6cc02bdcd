"""What views make of harmless texts: how many get one, and how many fire only because of it.

python -m lab.detection.view_false_alarms --data DIR --artifact DIR --out FILE

DIR of data holds gzipped JSON Lines with text and label; rows are taken from all its sets alike,
the rest is generated (`lab.detection.harmless_texts`). A text with no view but itself cannot fire
anew, so the detector scores views alone first, and the text itself where one of them fires.
"""

import gzip
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import JsonValue

from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.detectors.names.phrases import PhraseList
from guard.screening.cutting.windows import cut
from guard.screening.views.view import View, views
from guard.terms.detector import Detector
from lab.detection.harmless_texts import harmless_texts

PHRASES = (
    *("ignore all previous instructions", "ignore previous instructions", "system prompt"),
    *("you are now", "developer mode", "do anything now", "jailbreak", "kill", "bomb", "weapon"),
    *("password", "credit card", "build a bomb", "tell me how to", "secret", "attack", "poison"),
)
"""Words that harmless texts hold as well: a list stricter than an operator's would be."""
LONGEST = 6_000
BATCH = 32

Text = tuple[str, str]


def read_rows(folder: Path, count: int, seed: int) -> list[Text]:
    """`count` harmless rows (set, text), the sets in turn until they are used up."""
    rng = random.Random(seed)
    sets: list[list[Text]] = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file) as lines:
            rows = [orjson.loads(line) for line in lines]
        name = file.name.split(".")[0]
        own = [(name, row["text"][:LONGEST]) for row in rows if row["label"] == "benign"]
        rng.shuffle(own)
        sets.append(own)
    taken = [own[turn] for turn in range(max(map(len, sets))) for own in sets if turn < len(own)]
    return taken[:count]


def fires(detector: Detector, texts: Sequence[str]) -> bool:
    """Whether any window of the texts reaches the detector's threshold."""
    windows = [w for text in texts for size in detector.window_sizes for w in cut(text, *size)]
    distinct = list(dict.fromkeys(windows))
    batches = (distinct[at : at + BATCH] for at in range(0, len(distinct), BATCH))
    return any(bool((detector.score(batch, None) >= detector.threshold).any()) for batch in batches)


def fires_anew(detector: Detector, found: Sequence[View]) -> bool:
    """Whether a view fires and the text itself, its first view, does not."""
    return fires(detector, [view.text for view in found[1:]]) and not fires(
        detector, [found[0].text]
    )


def main(
    data: Annotated[Path, typer.Option(help="Folder of prompt sets.")],
    out: Annotated[Path, typer.Option(help="JSON of the figures.")],
    artifact: Annotated[Path | None, typer.Option(help="Artifact of kind malicious-text.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of the prompt sets.")] = 12_000,
    generated: Annotated[int, typer.Option(help="Generated texts.")] = 8_000,
    most: Annotated[int, typer.Option(help="Texts with views that the detector reads.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Seed of rows and generators.")] = 5,
) -> None:
    """Count views and what fires by them; write and print the figures, without any text."""
    texts = [*read_rows(data, rows, seed), *harmless_texts(generated, seed)]
    seen = [(index, kind, views(text)) for index, (kind, text) in enumerate(texts)]
    more = [(index, kind, found) for index, kind, found in seen if len(found) > 1]
    phrases = PhraseList(PHRASES)
    steps = Counter(view.name for _, _, found in more for view in found[1:])
    figures: dict[str, JsonValue] = {
        "texts": len(texts),
        "with_views": len(more),
        "with_views_by_kind": dict(Counter(kind for _, kind, _ in more).most_common()),
        "steps": dict(steps.most_common()),
        "fires_anew_by_phrases": [i for i, _, found in more if fires_anew(phrases, found)],
    }
    if artifact is not None:
        detector = MaliciousTextClassifier.load(artifact)
        read = random.Random(seed).sample(more, min(most, len(more)))
        figures["read_by_detector"] = len(read)
        figures["fires_anew_by_detector"] = [
            f"{index} {kind}" for index, kind, found in read if fires_anew(detector, found)
        ]
    out.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    typer.echo(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    typer.run(main)
