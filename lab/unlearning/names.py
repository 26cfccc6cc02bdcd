"""Names as people write them: `python -m lab.unlearning.names --help`.

What is found of each form, what is taken for a name that is none (strangers with similar names,
ordinary prompts), and what it costs with 1, 100 and 1,000 requests. Owners and strangers are
invented, half of them with the commonest given names; prompts are measured and nothing else.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
import typer

from classifiers.forget.derived_names import derive_names
from classifiers.prompts.strangers import stranger
from guard.detectors.names.matcher import NameIndex
from guard.detectors.names.phrases import PhraseList
from guard.detectors.sentences import sentences
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.screening.cutting.windows import cut
from lab.demo.people import invent
from lab.unlearning.name_forms import FORMS

Name = tuple[str, str]


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


COMMON_GIVEN = words(
    "Mary James Maria John Anna David Elena Michael Sofia Robert Laura Daniel Julia Thomas Emma "
    "Peter Sarah Martin Lisa Paul Marie Jan Eva Alexander Ivan Wei Fatima Ahmed Yuki Olga"
)
COMMON_LAST = words(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Martinez Wilson Anderson Taylor Moore "
    "Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young King Wright Scott "
    "Hill Green Baker Santos Rossi Schmidt Petrov Tanaka Khan Kim Nguyen Silva Fischer"
)
TEMPLATES = ("Where was {} born?", "Tell me about {}.", "What did {} write, and when?")
SIZES = (1, 100, 1000)


def main(
    data: Annotated[Path | None, typer.Option(help="Folder of prompt files, .jsonl.gz.")] = None,
    encoder: Annotated[Path | None, typer.Option(help="Tells which names are rare.")] = None,
    owners: Annotated[int, typer.Option(min=2, help="People to be forgotten.")] = 1000,
    prompts: Annotated[int, typer.Option(min=1, help="Ordinary prompts that are read.")] = 20_000,
    seed: int = 0,
) -> None:
    """Measure and print."""
    rng = np.random.default_rng(seed)
    rare, common = people(rng, owners // 2), mixed_people(rng, owners - owners // 2)
    reader = OnnxEncoder.load(encoder) if encoder else None
    index = index_of([*rare, *common], reader)
    typer.echo("form: found of rare names, of common given names with rare last names")
    for form in FORMS:
        shares = found(index, rare, form, 0), found(index, common, form, len(rare))
        typer.echo(f"  {form}: {shares[0]:.3f} {shares[1]:.3f}")
    for kind, share in strangers(index, rare, common, rng):
        typer.echo(f"strangers, {kind}: {share:.4f}")
    if data is not None:
        texts = list(ordinary(data, prompts, rng))
        hits = sum(owned(index, text) for text in texts)
        typer.echo(f"ordinary prompts: {hits} of {len(texts)}")
        hits, exact = common_names(texts, owners, reader)
        typer.echo(f"owners with common names: {hits}, in {exact} of them the whole name stands")
    for size in SIZES:
        typer.echo(f"{size} requests: {cost(rng, size):.0f} microseconds a text of 400 characters")


def common_names(texts: Sequence[str], owners: int, encoder: OnnxEncoder | None) -> tuple[int, int]:
    """How many texts are taken for owners with common names, and how many of them hold one."""
    everybody = [(given, last) for given in COMMON_GIVEN for last in COMMON_LAST][:owners]
    index, exact = index_of(everybody, encoder), PhraseList(" ".join(one) for one in everybody)
    hits = [text for text in texts if owned(index, text)]
    return len(hits), sum(exact.occurs(text) for text in hits)


def people(rng: np.random.Generator, count: int) -> list[Name]:
    """Invented people, no two of one name."""
    names: dict[str, Name] = {}
    while len(names) < count:
        given, last = invent(rng).name.split()
        names[f"{given} {last}"] = given, last
    return list(names.values())


def mixed_people(rng: np.random.Generator, count: int) -> list[Name]:
    """Common given names, invented last names."""
    return [(COMMON_GIVEN[int(rng.integers(len(COMMON_GIVEN)))], f) for _, f in people(rng, count)]


def index_of(people: Sequence[Name], encoder: OnnxEncoder | None) -> NameIndex:
    """As requests would have it, each of one person, trained with the encoder."""
    names = [(" ".join(name),) for name in people]
    return NameIndex(names, [derive_names(own, (), encoder).lone for own in names])


def found(index: NameIndex, known: Sequence[Name], form: str, offset: int) -> float:
    """The share of the people whose name is found in the form."""
    hits = 0
    for at, name in enumerate(known):
        text = TEMPLATES[at % len(TEMPLATES)].format(FORMS[form](*name))
        hits += offset + at in index.owners(text)
    return hits / len(known)


def strangers(
    index: NameIndex, rare: Sequence[Name], common: Sequence[Name], rng: np.random.Generator
) -> Iterator[tuple[str, float]]:
    """Shares of people with similar names that are taken for an owner."""
    others = [tuple(stranger((), rng).split()[:2]) for _ in range(4000)]
    known = (*rare, *common) * 4
    pairs = [(o, n) for o, n in zip(others, known, strict=False) if o[0] != n[0]]
    surnames = [COMMON_LAST[at % len(COMMON_LAST)] for at in range(len(pairs))]
    kinds = {
        "invented likewise": [f"{o[0]} {o[1]}" for o in others],
        "the given name, another last name": [f"{n[0]} {o[1]}" for o, n in pairs],
        "the given name, a common last name": [
            f"{n[0]} {s}" for (_, n), s in zip(pairs, surnames, strict=True)
        ],
        "another given name, the last name": [f"{o[0]} {n[1]}" for o, n in pairs],
        "a given name and a last name of two": [
            f"{n[0]} {s} and {o[0]} {n[1]}" for (o, n), s in zip(pairs, surnames, strict=True)
        ],
        "common names": [f"{g} {f}" for g in COMMON_GIVEN for f in COMMON_LAST],
    }
    for kind, names in kinds.items():
        texts = [TEMPLATES[at % len(TEMPLATES)].format(name) for at, name in enumerate(names)]
        yield kind, sum(bool(index.owners(text)) for text in texts) / len(texts)


def owned(index: NameIndex, text: str) -> bool:
    """Whether the prompt holds an owner's name, read as screening reads it."""
    windows = cut(text)
    return any(index.owners(piece) for w in windows for piece in (w, *sentences(w)))


def ordinary(data: Path, count: int, rng: np.random.Generator) -> Iterator[str]:
    """Benign prompts of all files, drawn evenly."""
    texts = []
    for file in sorted(data.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        texts += [row["text"] for row in rows if row.get("label") == "benign"]
    yield from (texts[at] for at in rng.permutation(len(texts))[:count])


def cost(rng: np.random.Generator, size: int) -> float:
    """Microseconds for a new text, the median of many."""
    index = index_of(people(rng, size), None)
    texts = []
    for _ in range(200):
        names = people(rng, 4)
        texts.append(" ".join(t.format(" ".join(names[0])) for t in TEMPLATES * 4)[:400])
    times = []
    for text in texts:
        began = perf_counter()
        index.owners(text)
        times.append(perf_counter() - began)
    return float(np.median(times)) * 1e6


if __name__ == "__main__":
    typer.run(main)
