"""Folds of forget passages, and the requests over them."""

from pathlib import Path

import pytest

from classifiers.evaluation.muse.data import read_muse
from classifiers.evaluation.muse.folds import (
    Stage,
    forget_prompts,
    guarded_by,
    passages_of,
    train_stages,
)
from classifiers.forget.training import ForgetRecipe
from guard.settings import Settings
from guard.terms.errors import ConfigError
from tests.classifiers.evaluation.muse.files import write_files
from tests.encoders import WordEncoder


def test_folds_are_disjoint_and_whole(tmp_path: Path) -> None:
    data = read_muse(write_files(tmp_path))
    parts = [passages_of(data, 4, fold, fold + 1) for fold in range(4)]
    assert sorted(number for part in parts for number in part) == list(range(12))
    assert passages_of(data, 4, 0, 2) == sorted(parts[0] + parts[1])


def test_a_passage_is_forgotten_by_its_parts_and_questions(tmp_path: Path) -> None:
    data = read_muse(write_files(tmp_path))
    prompts = forget_prompts(data.forget[:1], data.forget_questions[:1])
    texts = [prompt.text for prompt in prompts]
    assert {data.forget[0].request, data.forget[0].continuation} < set(texts)
    assert texts[-1] == data.forget_questions[0].question
    assert len(set(texts)) == len(texts) == 8
    assert len({prompt.group for prompt in prompts}) == 2


def test_requests_over_folds_are_trained_once(tmp_path: Path) -> None:
    data = read_muse(write_files(tmp_path / "data"))
    encoder = WordEncoder()
    quick = ForgetRecipe(forget_copies=0, retain_copies=0, strengths=(10.0,))
    stages = train_stages(data, 2, encoder, tmp_path / "requests", quick)
    growing = [stage for stage in stages if stage.kind == "scalability"]
    successive = [stage for stage in stages if stage.kind == "sustainability"]
    assert [len(stage.artifacts) for stage in growing] == [1, 1]
    assert [len(stage.artifacts) for stage in successive] == [1, 2]
    assert growing[0].artifacts == successive[0].artifacts
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "requests").rglob("*.*")}
    assert train_stages(data, 2, encoder, tmp_path / "requests", quick) == stages
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_a_stage_has_a_policy_for_each_request() -> None:
    settings = Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:8000"},
            "models": {"demo": {"path": "models/demo"}},
            "encoder": {"path": "encoder"},
            "detectors": {"books": {"kind": "artifact", "path": "books"}},
            "policies": [
                {
                    "name": "forget-books",
                    "detector": "books",
                    "threshold": "from_artifact",
                    "action": "corrupt",
                }
            ],
        }
    )
    stage = Stage("sustainability", 2, (Path("one"), Path("two")))
    found = guarded_by(settings, stage, "forget-books")
    assert [policy.detector for policy in found.policies] == ["request-1", "request-2"]
    assert {policy.action for policy in found.policies} == {"corrupt"}
    assert [getattr(d, "path", None) for d in found.detectors.values()] == list(stage.artifacts)
    with pytest.raises(ConfigError, match="no policy other"):
        guarded_by(settings, stage, "other")
