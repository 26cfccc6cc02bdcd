"""Makes a forget request of TOFU's forget set: `python -m lab.unlearning.tofu_request --help`.

Names are found in the data: of each author's twenty rows, the name that occurs in most. The retain
examples leave out the first 400 rows, which TOFU evaluates on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
import yaml

from classifiers.commands.evaluate_tofu import SIZES, ForgetSize
from classifiers.evaluation.extraction.targets import Pair, read_pairs
from classifiers.forget.request import FORGET, REQUEST, RETAIN
from classifiers.statistics.key_phrases import name_runs
from lab.unlearning.date_aliases import date_aliases

ROWS_OF_AN_AUTHOR = 20
EVALUATED_ROWS = 400


def main(
    data: Annotated[Path, typer.Option(help="Folder with TOFU's gzipped files.")],
    size: Annotated[ForgetSize, typer.Option(help="01, 05 or 10.")],
    out: Annotated[Path, typer.Option(help="Folder to write the request to.")],
    retained: Annotated[int, typer.Option(min=1, help="Retain questions given along.")] = 400,
    dates: Annotated[bool, typer.Option(help="Dates in questions are aliases.")] = False,
) -> None:
    """Write request.yaml, forget.jsonl and retain.jsonl."""
    percent = SIZES[size]
    forget = read_pairs(data / f"forget{percent}.json.gz")
    forgotten = {pair.question for pair in forget}  # some questions name nobody
    kept = read_pairs(data / f"retain{100 - int(percent)}.json.gz")[EVALUATED_ROWS:]
    retain = [pair for pair in kept if pair.question not in forgotten]
    names = [author_name(rows) for rows in _authors(forget)]
    out.mkdir(parents=True, exist_ok=True)
    described: dict[str, object] = {
        "name": f"tofu-forget{percent}",
        "reason": "TOFU's forget set",
        "contact": "bench@example.com",
        "names": names,
    }
    if dates:
        asked = " ".join(pair.question for pair in forget)
        described["aliases"] = list(date_aliases(asked))
    (out / REQUEST).write_text(yaml.safe_dump(described, allow_unicode=True, sort_keys=False))
    step = max(1, len(retain) // retained)
    for file, pairs in ((FORGET, forget), (RETAIN, retain[::step][:retained])):
        lines = [orjson.dumps({"text": pair.question}) for pair in pairs]
        (out / file).write_bytes(b"\n".join(lines) + b"\n")
    typer.echo(f"{out}: {', '.join(names)}")


def author_name(rows: Sequence[Pair]) -> str:
    """The name of at least two words, or with a hyphen, that most rows have."""
    counts: Counter[str] = Counter()
    for pair in rows:
        runs = name_runs(f"{pair.question} {pair.answer}")
        found = dict.fromkeys(map(_bare, runs))  # in order: the same name wins a tie every time
        counts.update(name for name in found if len(name.split()) > 1)
    return counts.most_common(1)[0][0]


def _bare(name: str) -> str:
    return name.removesuffix("'s").removesuffix("’s").removesuffix("'").removesuffix("’")


def _authors(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), ROWS_OF_AN_AUTHOR):
        yield pairs[start : start + ROWS_OF_AN_AUTHOR]


if __name__ == "__main__":
    typer.run(main)
