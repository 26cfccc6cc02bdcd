"""A search on Ray's workers measures what one process measures."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from classifiers.corruption.learning import MakeEvaluate, learn_corruption
from classifiers.corruption.questions import ForgetQuestion
from classifiers.corruption.ray_candidates import ray_candidates
from classifiers.model_server.endpoint import ModelEndpoint
from tests.chat_server import ChatServer
from tests.classifiers.corruption.learned import RECIPE, given


def test_a_search_measures_as_in_one_process(
    server: ChatServer, rows: list[ForgetQuestion], tmp_path: Path
) -> None:
    def learned(out: Path, engine: MakeEvaluate = nullcontext) -> dict[str, Any]:
        with ModelEndpoint(server.url) as endpoint:
            artifact = learn_corruption(
                rows,
                endpoint,
                given(tmp_path),
                server.folder,
                out,
                out.with_suffix(".jsonl"),
                RECIPE,
                engine=engine,
            )
        report: dict[str, Any] = orjson.loads(artifact.bytes_of("report.json"))
        return report

    on_ray = partial(ray_candidates, open_endpoint=partial(ModelEndpoint, server.url))
    here, there = learned(tmp_path / "here"), learned(tmp_path / "there", on_ray)
    assert there["corruption"] == here["corruption"]
    assert there["distance"] == here["distance"]
    assert [untimed(row) for row in there["trace"]] == [untimed(row) for row in here["trace"]]
    assert there["cost"]["requests"] >= sum(row["requests"] for row in there["trace"]) > 0


def untimed(row: dict[str, object]) -> dict[str, object]:
    """A line of the trace without what differs from run to run."""
    return {name: value for name, value in row.items() if name not in ("seconds", "requests")}
