"""Answers of an evaluation, kept on disk as they come, so that a killed run goes on where it was.

They are found by what was asked: whoever asks the same again, another corruption that leaves a
prompt alone for one, is answered from here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from classifiers.runs.digests import digest_of
from classifiers.runs.kept_work import KeptWork

ANSWERS = "answers.sqlite"


class KeptAnswers(KeptWork):
    """The answers of one run, in a folder; `run` describes all that they depend on.

    Opening a folder of another run raises ConfigError: answers must not be mixed. Safe to use from
    several threads.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any]) -> None:
        super().__init__(folder / ANSWERS, run)

    def find_answer(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to a question, if it was asked before."""
        found = self.find(digest_of(question))
        return None if found is None else dict(orjson.loads(found))

    def keep_answer(self, question: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Keep an answer; a killed process has it after this."""
        self.keep({digest_of(question): orjson.dumps(answer)})
