"""Kept answers: found by what was asked, after a restart too, never of another run."""

from pathlib import Path

import pytest

from classifiers.evaluation.kept_answers import KeptAnswers
from guard.terms.errors import ConfigError

ASKED = {"kind": "generate", "messages": [{"role": "user", "content": "Who?"}]}
REORDERED = dict(reversed(ASKED.items()))


def test_an_answer_is_found_after_a_restart_whatever_the_order_of_keys(tmp_path: Path) -> None:
    with KeptAnswers(tmp_path, {"data": "a"}) as kept:
        assert kept.find_answer(ASKED) is None
        kept.keep_answer(ASKED, {"texts": ["Ada"]})
    with KeptAnswers(tmp_path, {"data": "a"}) as again:
        assert again.find_answer(REORDERED) == {"texts": ["Ada"]}
        assert again.find_answer({**ASKED, "kind": "score"}) is None
        assert len(again) == 1


def test_answers_of_another_run_are_not_mixed_in(tmp_path: Path) -> None:
    KeptAnswers(tmp_path, {"data": "a", "model": "m"}).close()
    with pytest.raises(ConfigError, match="data differs"):
        KeptAnswers(tmp_path, {"data": "b", "model": "m"})
    with pytest.raises(ConfigError, match="model differs"):
        KeptAnswers(tmp_path, {"data": "a"})
