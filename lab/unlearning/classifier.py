"""Forget classifiers on TOFU, as they serve: `python -m lab.unlearning.classifier --help`.

One request for each forget set is trained by `ecoguard-train forget`'s own code, and every prompt
read as the proxy reads it: as a chat, in views, windows and sentences, with turns joined. Attacks
are those of `evaluate extraction`, and two more; no wording of theirs is trained on. Nothing here
chooses anything: recipe and margins were set on authors outside the forget sets.
"""

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
import typer

from classifiers.commands.evaluate_tofu import SIZES, ForgetSize
from classifiers.encoder.features import key_of
from classifiers.evaluation.extraction.attacks import FAMILIES, Conversation, Surroundings, attack
from classifiers.evaluation.extraction.targets import Target, read_pairs, targets
from classifiers.evaluation.extraction.wordings import FILLERS
from classifiers.forget.batch import Batch
from classifiers.forget.request import read_forget_prompts, read_request, read_retain_prompts
from classifiers.forget.training import ForgetRecipe
from guard.artifacts.folder import read
from guard.detectors.forget.requests import ForgetRequest, RequestSet
from guard.detectors.names.matcher import NameIndex
from guard.detectors.names.phrases import PhraseList
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.screening.reading import Reading
from guard.screening.views.view import ViewLimits
from guard.terms.detector import Features
from guard.terms.item import Item
from lab.unlearning import tofu_request

TAUGHT = ("clinc150", "nlu_eval", "gpteacher", "bbh")
"""Sources of ordinary prompts that all requests are given as retain prompts."""
MEASURED = (
    *("self_instruct", "flan_cot", "chat_bench", "gsm8k", "mgsm", "mmlu_test"),
    *("awesome_prompts", "banking77", "snips", "cyberseceval_code"),
)
SEED = 0
LONG_NOISE = 500
FOLLOW_UPS = (
    ("Who wrote the report on {}?", "I cannot say for sure."),
    ("I met {} once.", "How nice. What was it like?"),
)


class RememberingEncoder(OnnxEncoder):
    """Encodes a text once: what is harmless is read for every forget set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(read(folder, "encoder"))
        self._known: dict[bytes, Features] = {}

    def encode(self, texts: Sequence[str]) -> Features:
        """As the encoder does; what it did before is remembered."""
        new = [text for text in dict.fromkeys(texts) if key_of(text) not in self._known]
        if new:
            self._known.update(zip(map(key_of, new), super().encode(new), strict=True))
        return np.stack([self._known[key_of(text)] for text in texts])


@dataclass(frozen=True, slots=True)
class Served:
    """A request set as the proxy would ask it."""

    requests: RequestSet
    encoder: RememberingEncoder

    def fires(self, said: Conversation) -> bool:
        """Whether the last turn is flagged."""
        items = [
            Item(("messages", at, "content"), str(turn["role"]), str(turn["content"]), True)
            for at, turn in enumerate(said)
        ]
        reading = Reading(items, self.encoder, ViewLimits())
        scores = reading.item_scores(self.requests, self.requests.threshold)
        return bool(scores[-1] >= self.requests.threshold)

    def count(self, conversations: Sequence[Conversation]) -> int:
        """How many are flagged."""
        return sum(map(self.fires, conversations))


def main(
    data: Annotated[Path, typer.Option(help="Folder with TOFU's gzipped files.")],
    prompts: Annotated[Path, typer.Option(help="Folder with gzipped ordinary prompts.")],
    encoder: Annotated[Path, typer.Option(help="The encoder's artifact.")],
    out: Annotated[Path, typer.Option(help="Folder for requests, artifacts and figures.")],
    size: Annotated[list[ForgetSize] | None, typer.Option(help="01, 05, 10; default all.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="Ordinary prompts of each source.")] = 200,
    retained: Annotated[int, typer.Option(min=20, help="Retain questions of a request.")] = 400,
    dates: Annotated[bool, typer.Option(help="Dates in questions are aliases.")] = False,
) -> None:
    """Train and measure; figures go to OUT/classifier.json, a forget set at a time."""
    out.mkdir(parents=True, exist_ok=True)
    shared = out / "ordinary.jsonl"
    taught = [text for source in TAUGHT for text in ordinary(prompts, source, rows)]
    shared.write_bytes(b"\n".join(orjson.dumps({"text": text}) for text in taught))
    reader = RememberingEncoder(encoder)
    figures: dict[str, Any] = {}
    for chosen in size or list(ForgetSize):
        request = out / f"request{SIZES[chosen]}"
        tofu_request.main(data, chosen, request, retained, dates)
        artifact = out / f"forget{SIZES[chosen]}"
        done = Batch(reader, ForgetRecipe(), (shared,)).train([(request, artifact)])[0]
        if done.artifact is None:
            raise typer.BadParameter(done.problem)
        requests = [ForgetRequest.from_artifact(done.artifact)]
        served = Served(RequestSet(requests, encoder=reader.digest, width=reader.width), reader)
        figures[SIZES[chosen]] = {
            **_missed(served, data, SIZES[chosen], request),
            **_false_positives(served, data, SIZES[chosen], request, prompts, rows),
        }
        (out / "classifier.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
        _show(SIZES[chosen], figures[SIZES[chosen]])


def ordinary(folder: Path, source: str, rows: int) -> list[str]:
    """Benign prompts of a source, drawn evenly."""
    lines = gzip.decompress((folder / f"{source}.jsonl.gz").read_bytes()).splitlines()
    found = [row["text"] for row in map(orjson.loads, lines) if row["label"] == "benign"]
    order = np.random.default_rng(SEED).permutation(len(found))[:rows]
    return [found[at] for at in order if found[at].strip()]


def _missed(served: Served, data: Path, percent: str, request: Path) -> dict[str, Any]:
    """Of each kind of prompt about the forgotten: how many there are and how many are missed."""
    pairs = read_pairs(data / f"forget{percent}.json.gz")
    kept = read_pairs(data / f"retain{100 - int(percent)}.json.gz")
    names = read_request(request).evidence
    chosen = targets(pairs, names)
    around = Surroundings([pair.question for pair in kept[:400]])
    kinds: dict[str, list[Conversation]] = {
        "questions": [_ask(pair.question) for pair in pairs],
        "paraphrased questions": [
            _ask(text) for text in _paraphrases(data / f"forget{percent}_perturbed.json.gz")
        ],
    }
    for family in FAMILIES:
        if family != "plain":
            made = (attack(family, target, around, SEED) for target in chosen)
            kinds[family] = [said for said in made if said is not None]
    kinds["long noise prefix"] = [_each(_long_noise, target, around) for target in chosen]
    kinds["paragraph"] = [_each(_paragraph, target, around) for target in chosen]
    return {
        kind: {"rows": len(said), "missed": len(said) - served.count(said)}
        for kind, said in kinds.items()
    }


def _paraphrases(file: Path) -> Iterator[str]:
    for line in gzip.decompress(file.read_bytes()).splitlines():
        yield orjson.loads(line)["paraphrased_question"]


Form = Callable[[str, Surroundings, np.random.Generator], str]


def _each(form: Form, target: Target, around: Surroundings) -> Conversation:
    question = target.pair.question
    rng = np.random.default_rng([SEED, *question.encode()])
    return _ask(form(question, around, rng))


def _long_noise(question: str, _: Surroundings, rng: np.random.Generator) -> str:
    words: list[str] = []
    while sum(map(len, words)) < LONG_NOISE:
        words.append(FILLERS[int(rng.integers(len(FILLERS)))])
    return " ".join([*words, question])


def _paragraph(question: str, around: Surroundings, rng: np.random.Generator) -> str:
    """The question among three others in one paragraph."""
    others = rng.choice(len(around.harmless), 3, replace=False)
    questions = [around.harmless[int(at)] for at in others]
    questions.insert(int(rng.integers(4)), question)
    return "I have several things to ask. " + " ".join(questions)


def _false_positives(
    served: Served, data: Path, percent: str, request: Path, prompts: Path, rows: int
) -> dict[str, Any]:
    """Of each kind of harmless prompt: how many there are, how many are flagged, and how many of
    those hold a name, as it stands or otherwise (a slip, a last name)."""
    seen = {prompt.text for prompt in read_retain_prompts(request)}
    seen |= {prompt.text for prompt in read_forget_prompts(request)}  # some rows are in both
    kept = [pair.question for pair in read_pairs(data / f"retain{100 - int(percent)}.json.gz")]
    kinds: dict[str, list[str]] = {
        "retain rows not trained on": [text for text in kept if text not in seen],
        "real authors": _questions(data / "real_authors.json.gz"),
        "world facts": _questions(data / "world_facts.json.gz"),
        **{source: ordinary(prompts, source, rows) for source in MEASURED},
    }
    one = served.requests.requests[0]
    exact, index = PhraseList(one.names), NameIndex([one.names], [one.lone_names])
    found: dict[str, Any] = {}
    for kind, texts in kinds.items():
        flagged = [text for text in texts if served.fires(_ask(text))]
        named = [text for text in flagged if index.owners(text)]
        found[kind] = {
            "rows": len(texts),
            "flagged": len(flagged),
            "named": sum(map(exact.occurs, named)),
            "nearly named": len(named) - sum(map(exact.occurs, named)),
        }
    return found | _after_a_name(served, kinds["retain rows not trained on"][:400], one.names)


def _after_a_name(served: Served, texts: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Harmless questions about others, in a conversation that named a forgotten person before."""
    said = []
    for at, text in enumerate(texts):
        opener, reply = FOLLOW_UPS[at % len(FOLLOW_UPS)]
        first = opener.replace("{}", names[at % len(names)])
        said.append(
            [
                {"role": "user", "content": first},
                {"role": "assistant", "content": reply},
                {"role": "user", "content": text},
            ]
        )
    return {"others, after a name": {"rows": len(said), "flagged": served.count(said)}}


def _questions(file: Path) -> list[str]:
    return [pair.question for pair in read_pairs(file)]


def _ask(text: str) -> Conversation:
    return [{"role": "user", "content": text}]


def _show(percent: str, figures: dict[str, Any]) -> None:
    typer.echo(f"forget{percent}")
    for kind, counts in figures.items():
        typer.echo(f"  {kind}: " + ", ".join(f"{name} {value}" for name, value in counts.items()))


if __name__ == "__main__":
    typer.run(main)
