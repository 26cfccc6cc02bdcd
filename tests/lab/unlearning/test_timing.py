"""Times of corrupted against plain answers: who is asked what, and what an AUC says."""

from collections import Counter
from pathlib import Path

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lab.unlearning.timing import CHAT, Timed, figures, main
from tests.e2e.serving import served


def write(file: Path, *questions: str) -> Path:
    file.write_bytes(b"\n".join(orjson.dumps({"question": q, "answer": "a"}) for q in questions))
    return file


def test_both_servers_are_asked_all_questions_in_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        body = await request.json()
        asked.append(body["messages"][0]["content"])
        assert body["min_tokens"] == body["max_tokens"] == 3
        return PlainTextResponse("data: [DONE]\n\n")

    with served(Starlette(routes=[Route(CHAT, answer, methods=["POST"])])) as url:
        files = write(tmp_path / "f", "F1", "F2"), write(tmp_path / "k", "K1", "K2")
        main(url, url, "demo", *files, rows=2, rounds=2, tokens=3)

    assert asked[:4] == ["F1", "F1", "K1", "K1"]
    assert Counter(asked) == dict.fromkeys(("F1", "F2", "K1", "K2"), 6), "2 servers, 3 rounds"
    shown = orjson.loads(capsys.readouterr().out)
    assert set(shown) == {"proxy", "direct"}
    assert 0 <= shown["proxy"]["whole"]["auc, low, high"][0] <= 1


def test_an_auc_of_a_half_is_no_difference() -> None:
    slow, quick = [Timed(0.1, 0.5)] * 3, [Timed(0.1, 0.2)] * 3
    found = figures({"a": slow, "b": slow}, {"c": quick, "d": quick}, "whole")
    assert found["auc, low, high"] == [1.0, 1.0, 1.0]
    assert found["forgotten ms, p5 p50 p95"] == [500.0, 500.0, 500.0]
    assert figures({"a": slow}, {"c": quick}, "first")["auc, low, high"] == [0.5, 0.5, 0.5]
