"""Small labelled prompt sets, made by our own generators, as files for the evaluation."""

import json
from pathlib import Path

from classifiers.malicious.data.attack_prompts import own_requests


def write_sets(folder: Path, rows: int = 40) -> Path:
    """Three sets of harmful and three of harmless requests, one of them with an unlabelled row."""
    folder.mkdir()
    harmful, harmless = own_requests("train", 3 * rows, 0)
    for number in range(3):
        own = slice(number * rows, (number + 1) * rows)
        _write(folder / f"attacks{number}.jsonl", harmful[own], "malicious")
        _write(folder / f"questions{number}.jsonl", harmless[own], "benign")
    with (folder / "questions0.jsonl").open("a") as file:
        file.write(json.dumps({"text": "who knows", "label": "unknown"}) + "\n")
    return folder


def _write(file: Path, texts: list[str], label: str) -> None:
    lines = [json.dumps({"text": t, "label": label, "kind": "request"}) for t in texts]
    file.write_text("\n".join(lines) + "\n")
