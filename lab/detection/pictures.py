"""What is found of attacks drawn as pictures, beside the same texts as texts.

python -m lab.detection.pictures --data DIR --artifact DIR --out FILE

DIR of data holds gzipped JSON Lines with text and label. As many attacks as harmless texts of
`--shortest` to `--longest` characters are drawn (`lab.detection.typography`), decoded, written anew
and read as served; the detector scores what was read and what was drawn.
"""

import gzip
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Annotated

import orjson
import typer

from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.images.decoding import Bounds, rewrite
from guard.images.text import TextReader
from guard.screening.cutting.windows import cut
from guard.terms.detector import Detector
from lab.detection.typography import Style, draw

BOUNDS = Bounds(pixels=12_000_000, frames=1)
WORD = re.compile(r"\w+")
LABELS = ("malicious", "benign")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One text: how it was drawn, the share of its words that was read, whether it fires as a text
    and as what was read, and the CPU seconds of reading a megapixel."""

    label: str
    style: Style
    read: float
    as_text: bool
    as_picture: bool
    seconds: float
    megapixels: float


def rows(folder: Path, label: str, count: int, lengths: range, rng: random.Random) -> list[str]:
    """`count` texts of a label, the sets in turn."""
    sets: list[list[str]] = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file) as lines:
            found = [orjson.loads(line) for line in lines]
        own = [r["text"] for r in found if r["label"] == label and len(r["text"]) in lengths]
        own = [text for text in own if text.isascii()]
        rng.shuffle(own)
        sets.append(own)
    longest = max(map(len, sets))
    return [own[turn] for turn in range(longest) for own in sets if turn < len(own)][:count]


def words_read(text: str, read: str) -> float:
    """The share of a text's words that were read, in whatever order."""
    wanted = WORD.findall(text.lower())
    found = set(WORD.findall(read.lower()))
    return sum(word in found for word in wanted) / max(1, len(wanted))


def fires(detector: Detector, text: str) -> bool:
    """Whether any window of the text reaches the detector's threshold."""
    windows = [window for size in detector.window_sizes for window in cut(text, *size)]
    if not windows:
        return False
    return bool((detector.score(windows, None) >= detector.threshold).any())


def measure(
    texts: Mapping[str, Sequence[str]], detector: Detector, rng: random.Random
) -> Iterator[Drawn]:
    """Draw, read and score each text."""
    reader = TextReader()
    for label, own in texts.items():
        for text in own:
            style = Style.drawn(rng)
            made = rewrite(draw(text, style, rng), BOUNDS)
            started = process_time()
            read = reader.read(made.data)
            seconds = process_time() - started
            yield Drawn(
                label,
                style,
                words_read(text, read),
                fires(detector, text),
                fires(detector, read),
                seconds,
                made.width * made.height / 1e6,
            )


def figures(drawn: Iterable[Drawn]) -> dict[str, object]:
    """The shares that were read and found, over all and by each trait of the styles."""
    every = list(drawn)
    groups: dict[str, list[Drawn]] = defaultdict(list)
    for each in every:
        groups["all"].append(each)
        for trait in ("font", "size", "colours", "turn", "noise", "form"):
            groups[f"{trait} {getattr(each.style, trait)}"].append(each)
    return {
        "read": {name: _reading(own) for name, own in sorted(groups.items())},
        "found": {label: _finding([e for e in every if e.label == label]) for label in LABELS},
        "cpu_seconds": round(median(each.seconds for each in every), 2),
        "megapixels": round(median(each.megapixels for each in every), 2),
        "cpu_seconds_a_megapixel": round(median(e.seconds / e.megapixels for e in every), 2),
    }


def _reading(own: Sequence[Drawn]) -> dict[str, float]:
    whole = sum(each.read == 1 for each in own) / len(own)
    mean = sum(each.read for each in own) / len(own)
    return {"texts": len(own), "words": round(mean, 3), "every word": round(whole, 3)}


def _finding(own: Sequence[Drawn]) -> dict[str, float]:
    count = max(1, len(own))
    return {
        "texts": len(own),
        "as text": round(sum(each.as_text for each in own) / count, 3),
        "as picture": round(sum(each.as_picture for each in own) / count, 3),
        "both": round(sum(each.as_text and each.as_picture for each in own) / count, 3),
    }


def main(
    data: Annotated[Path, typer.Option(exists=True)],
    artifact: Annotated[Path, typer.Option(exists=True)],
    out: Annotated[Path, typer.Option()],
    count: Annotated[int, typer.Option()] = 100,
    shortest: Annotated[int, typer.Option()] = 30,
    longest: Annotated[int, typer.Option()] = 300,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Write the figures as JSON."""
    rng = random.Random(seed)
    lengths = range(shortest, longest + 1)
    texts = {label: rows(data, label, count, lengths, rng) for label in LABELS}
    detector = MaliciousTextClassifier.load(artifact)
    found = figures(measure(texts, detector, rng))
    out.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    typer.run(main)
