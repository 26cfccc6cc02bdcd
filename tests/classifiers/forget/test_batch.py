"""Many request folders: shared prompts encoded once, what stands kept, a bad one no obstacle."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from classifiers.forget.batch import Batch, jobs_of
from classifiers.forget.training import ForgetRecipe
from guard.terms.detector import Features
from guard.terms.errors import ConfigError
from tests.classifiers.questions import FORMS, retain_prompts
from tests.encoders import WordEncoder

RECIPE = ForgetRecipe(forget_copies=1, swapped_copies=1, name_copies=1, strengths=(10.0,))


class CountingEncoder(WordEncoder):
    """Remembers how often each text was encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}

    def encode(self, texts: Sequence[str]) -> Features:
        for text in texts:
            self.seen[text] = self.seen.get(text, 0) + 1
        return super().encode(texts)


def request(folder: Path, person: str) -> Path:
    folder.mkdir(parents=True)
    lines = [f"name: {person}", "reason: asked to", "contact: a@example.org", f"names: [{person}]"]
    (folder / "request.yaml").write_text("\n".join(lines))
    rows = (json.dumps({"text": form.format(person)}) for form in FORMS)
    (folder / "forget.jsonl").write_text("\n".join(rows))
    return folder


@pytest.fixture
def retain(tmp_path: Path) -> Path:
    file = tmp_path / "retain.txt"
    file.write_text("\n".join(prompt.text for prompt in retain_prompts()))
    return file


def test_all_are_trained_a_bad_one_is_told_and_what_stands_is_kept(
    tmp_path: Path, retain: Path
) -> None:
    encoder = CountingEncoder()
    batch = Batch(encoder, RECIPE, (retain,))
    folders = [
        request(tmp_path / "requests" / "one", "Ilse Varnholt"),
        request(tmp_path / "requests" / "bad", "Nobody"),
        request(tmp_path / "requests" / "two", "Orvo Tandrup"),
    ]
    (folders[1] / "forget.jsonl").write_text("not json\n")
    told: list[int] = []
    jobs = jobs_of(folders, tmp_path / "out")
    first = batch.train(jobs, told.append)
    assert [outcome.state for outcome in first] == ["trained", "failed", "trained"]
    assert first[1].problem.startswith(f"{folders[1] / 'forget.jsonl'}:1: not JSON")
    assert told == [0, 1, 2, 3]
    assert encoder.seen[retain_prompts()[0].text] == 1  # shared by both

    again = Batch(encoder, RECIPE, (retain,)).train(jobs)
    assert [outcome.state for outcome in again] == ["kept", "failed", "kept"]
    assert [o.artifact.manifest.digest for o in again if o.artifact] == [
        o.artifact.manifest.digest for o in first if o.artifact
    ]

    (folders[0] / "retain.jsonl").write_text('{"text": "Which lamp is the brightest?"}\n')
    changed = Batch(encoder, RECIPE, (retain,)).train(jobs)
    assert [outcome.state for outcome in changed] == ["trained", "failed", "kept"]
    anew = Batch(encoder, replace(RECIPE, seed=1), (retain,)).train(jobs[2:])
    assert [outcome.state for outcome in anew] == ["trained"]


def test_folders_of_one_name_would_collide(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has the same name"):
        jobs_of([tmp_path / "a" / "x", tmp_path / "b" / "x"], tmp_path / "out")
