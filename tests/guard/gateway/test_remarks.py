"""What an operator is told of a configuration that loads."""

from typing import Any

import pytest

from guard.gateway.remarks import remarks
from guard.settings import Settings

POLICY = {"name": "p", "detector": "d", "action": "block"}
CONTENT: dict[str, Any] = {
    "upstream": {"url": "http://127.0.0.1:1"},
    "models": {"m": {"path": "m"}},
    "detectors": {"d": {"kind": "phrases", "phrases": ["x"]}},
    "policies": [POLICY],
}
CORRUPTS = {"policies": [{**POLICY, "action": "corrupt"}]}


def told(workers: int = 1, **changes: Any) -> str:
    return "\n".join(remarks(Settings.model_validate({**CONTENT, **changes}), workers))


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"policies": []}, "policies: none: every prompt goes to the model unscreened"),
        ({"policies": [{**POLICY, "shadow": True}]}, "policies: all in shadow"),
        (CORRUPTS, "chosen by nobody: stranger_first_n by default"),
        ({**CORRUPTS, "corruption": {"embed_all": True}}, "corruption: chosen by nobody"),
    ],
)
def test_what_was_left_open_is_said(changes: dict[str, Any], remark: str) -> None:
    assert remark in told(**changes)


@pytest.mark.parametrize(
    "changes",
    [{}, {**CORRUPTS, "corruption": {"dims": 30}}, {**CORRUPTS, "corruption": {"path": "c"}}],
)
def test_what_was_chosen_is_not(changes: dict[str, Any]) -> None:
    assert told(**changes) == ""


def test_several_workers_are_remarked() -> None:
    said = told(workers=2, store={})
    assert "each worker's own" in said
    assert "SQLite" in said
