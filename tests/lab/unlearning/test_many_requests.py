"""The bench over many requests, with few of them and a tiny encoder."""

from pathlib import Path

import orjson

from classifiers.forget.request import read_forget_prompts
from classifiers.prompts.files import read_prompts
from lab.unlearning.many_requests import SIZES, main, write_requests
from tests.encoders import tiny_artifact


def test_figures_are_written(tmp_path: Path) -> None:
    main(tiny_artifact(), tmp_path, trained=2, prompts=10, rounds=1, retained=40)
    found = orjson.loads((tmp_path / "many_requests.json").read_bytes())
    assert (found["trained"], found["failed"]) == (2, {})
    assert found["training_s"]["median"] > 0
    for size in map(str, SIZES):
        assert found["prompt_ms"][size]["median"] > 0
        assert found["heads"][size] >= int(size)
    assert found["timed_prompts"] == 10


def test_no_retain_prompt_is_asked_by_a_request(tmp_path: Path) -> None:
    folders, shared = write_requests(tmp_path, count=12, retained=600)
    asked = {prompt.text for folder in folders for prompt in read_forget_prompts(folder)}
    kept = {prompt.text for prompt in read_prompts(shared)}
    assert len(folders) == 12
    assert len(kept) == 600
    assert not asked & kept
