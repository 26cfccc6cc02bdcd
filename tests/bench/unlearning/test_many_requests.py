"""The bench over many requests, with few of them and a tiny encoder."""

from pathlib import Path

import orjson

from bench.unlearning.many_requests import SIZES, main
from tests.encoders import tiny_artifact


def test_figures_are_written(tmp_path: Path) -> None:
    main(tiny_artifact(), tmp_path, trained=2, prompts=10, rounds=1, retained=40)
    found = orjson.loads((tmp_path / "many_requests.json").read_bytes())
    assert (found["trained"], found["failed"]) == (2, 0)
    assert found["training_s"]["median"] > 0
    for size in map(str, SIZES):
        assert found["prompt_ms"][size]["median"] > 0
        assert found["heads"][size] >= int(size)
    assert found["timed_prompts"] == 10
