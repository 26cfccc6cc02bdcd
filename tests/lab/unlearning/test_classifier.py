"""The classifier's bench on a forget set of our own making, with a tiny encoder."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import orjson

from classifiers.commands.evaluate_tofu import ForgetSize
from lab.unlearning.classifier import MEASURED, TAUGHT, main, ordinary
from tests.classifiers.questions import FORMS
from tests.encoders import tiny_artifact


def write(file: Path, rows: Sequence[object]) -> None:
    file.write_bytes(gzip.compress(b"\n".join(map(orjson.dumps, rows))))


def pairs(people: Sequence[str]) -> list[dict[str, str]]:
    return [
        {
            "question": form.format(person),
            "answer": f"{person} says so in a book of some length, no. {number}.",
            "paraphrased_question": f"Say, {form.format(person)}",
        }
        for person in people
        for number, form in enumerate((*FORMS, *(f"Also: {form}" for form in FORMS)))
    ]


def test_figures_are_written(tmp_path: Path) -> None:
    data, prompts = tmp_path / "tofu", tmp_path / "prompts"
    data.mkdir()
    prompts.mkdir()
    forgotten, kept = pairs(["Ilse Varnholt"]), pairs([f"Pia Number{n}" for n in range(30)])
    for name in ("forget01", "forget01_perturbed"):
        write(data / f"{name}.json.gz", forgotten)
    write(data / "retain99.json.gz", kept)
    for name in ("real_authors", "world_facts"):
        write(data / f"{name}.json.gz", pairs(["Carl Ekholm"])[:5])
    for source in (*TAUGHT, *MEASURED):
        rows = [{"text": f"{source} task {n}?", "label": "benign"} for n in range(4)]
        write(prompts / f"{source}.jsonl.gz", [*rows, {"text": "x", "label": "malicious"}])

    assert len(ordinary(prompts, "bbh", 3)) == 3
    main(data, prompts, tiny_artifact(), tmp_path / "out", [ForgetSize.ONE], rows=4, retained=50)

    found = orjson.loads((tmp_path / "out" / "classifier.json").read_bytes())["01"]
    assert found["questions"] == {"rows": 20, "missed": 0}
    assert found["paraphrased questions"] == {"rows": 20, "missed": 0}  # each holds the name
    assert found["turns"] == {"rows": 20, "missed": 0}
    assert found["long noise prefix"]["rows"] == found["paragraph"]["rows"] == 20
    assert found["retain rows not trained on"]["rows"] == 550
    assert found["others, after a name"]["rows"] == 400
    assert {kind for kind, counts in found.items() if "nearly named" in counts} >= set(MEASURED)
