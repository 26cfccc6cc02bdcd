"""Answers of an evaluation, kept on disk as they come, so that a killed run goes on where it was.

They are found by what was asked: whoever asks the same again, another corruption that leaves a
prompt alone for one, is answered from here.
"""

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from guard.terms.errors import ConfigError

RUN, ANSWERS = "run.json", "answers.jsonl"


class KeptAnswers:
    """The answers of one run, in a folder; `run` describes all that they depend on.

    Opening a folder of another run raises ConfigError: answers must not be mixed. A last line that
    a killed process left unfinished is dropped. Safe to use from several threads.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / ANSWERS
        _claim(folder / RUN, run)
        self._answers: dict[str, dict[str, Any]] = {}
        whole = self._read()
        self._stream = self._file.open("ab")
        self._stream.truncate(whole)
        self._lock = threading.Lock()

    def find(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to a question, if it was asked before."""
        return self._answers.get(_key(question))

    def keep(self, question: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Keep an answer; it is on its way to the disk when this returns."""
        key = _key(question)
        line = orjson.dumps([key, answer]) + b"\n"
        with self._lock:
            self._answers[key] = dict(answer)
            self._stream.write(line)
            self._stream.flush()

    def __len__(self) -> int:
        return len(self._answers)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _read(self) -> int:
        """Read what is there; returns how many bytes of the file are whole lines."""
        content = self._file.read_bytes() if self._file.exists() else b""
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].split(b"\n")[:-1], start=1):
            try:
                key, answer = orjson.loads(line)
                self._answers[str(key)] = dict(answer)
            except (ValueError, TypeError) as error:
                raise ConfigError(f"{self._file}:{number}: not an answer of a run") from error
        return whole


def _key(question: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(question, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _claim(file: Path, run: Mapping[str, Any]) -> None:
    described = orjson.loads(orjson.dumps(run))
    if not file.exists():
        file.write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2))
        return
    try:
        known = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{file}: not JSON ({error.msg})") from error
    for name in {*described, *known}:
        if known.get(name) != described.get(name):
            raise ConfigError(
                f"{file.parent}: holds answers of another run ({name} differs): "
                "choose another folder, or remove it"
            )
