"""The example requests of docs/guides/forget-kinds.md: trained as they stand, and asked."""

import json
import re
from pathlib import Path

import pytest

from classifiers.forget.batch import Batch
from classifiers.forget.training import ForgetRecipe
from guard.detectors.kinds import load_detector
from tests.classifiers.questions import GENERAL
from tests.encoders import WordEncoder
from tests.source_tree import ROOT

PAGE = (ROOT / "docs" / "guides" / "forget-kinds.md").read_text(encoding="utf-8")
SECTIONS = PAGE.split("\n## ")[1:]
BLOCK = re.compile(r"```(?:yaml|jsonl) ?(\w*)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_an_example_request_finds_what_its_page_says(section: str, tmp_path: Path) -> None:
    request, out, encoder = tmp_path / "request", tmp_path / "artifact", WordEncoder()
    blocks = dict(BLOCK.findall(section))
    asked = [json.loads(line) for line in blocks["asked"].splitlines()]
    general = "".join(json.dumps({"text": text}) + "\n" for text in GENERAL[:40])
    request.mkdir()
    (request / "request.yaml").write_text(blocks[""], encoding="utf-8")
    (request / "forget.jsonl").write_text(blocks["forget"], encoding="utf-8")
    (request / "retain.jsonl").write_text(blocks["retain"] + general, encoding="utf-8")

    (outcome,) = Batch(encoder, ForgetRecipe(requests=1, fpr=0.005)).train([(request, out)])

    assert outcome.artifact is not None, outcome.problem
    detector = load_detector(out, encoder)
    texts = [question["text"] for question in asked]
    found = detector.score(texts, encoder.encode(texts)) >= detector.threshold
    assert dict(zip(texts, found.tolist(), strict=True)) == {
        question["text"]: question["found"] for question in asked
    }


def test_there_is_an_example_of_each_kind() -> None:
    titles = [section.splitlines()[0] for section in SECTIONS]
    assert titles == [
        "A work: title, characters, plot",
        "A company's secret",
        "A range of dates",
        "A topic",
    ]
