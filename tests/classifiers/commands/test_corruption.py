"""`ecoguard-train corruption` against a fake vLLM over real HTTP."""

from pathlib import Path

import orjson
from typer.testing import CliRunner

from classifiers.commands.main import app
from tests.chat_server import chat_server
from tests.classifiers.corruption.learned import ANSWERS


def test_a_search_with_samples_from_the_command_line(tmp_path: Path) -> None:
    rows = [orjson.dumps({"question": q, "answer": a}) for q, a in ANSWERS.items()]
    (tmp_path / "questions.jsonl").write_bytes(b"\n".join(rows))
    unlearned = dict.fromkeys(ANSWERS, "I do not know that.")
    with (
        chat_server(tmp_path / "model", ANSWERS, scale=0.3) as server,
        chat_server(tmp_path / "twin", unlearned) as twin,
    ):
        run = CliRunner().invoke(
            app,
            [
                *("corruption", str(tmp_path / "questions.jsonl"), "--out", str(tmp_path / "out")),
                *("--url", server.url, "--reference-url", twin.url, "--budget", "6"),
                *("--finalists", "1", "--samples", "3", "--weight", "certainty=0"),
                *("--weight", "attacked=0", "--tokens", "names"),
            ],
        )
    assert run.exit_code == 0, run.output
    report = orjson.loads((tmp_path / "out" / "report.json").read_bytes())
    assert report["evaluations"] <= 6
    assert set(report["metrics"]) == {
        *("rouge", "leak", "first_token", "sampled_leak", "sampled_rouge")
    }
    assert (tmp_path / "out.trace.sqlite").is_file()
