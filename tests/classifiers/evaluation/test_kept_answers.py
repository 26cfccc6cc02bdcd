"""Kept answers: found by what was asked, whole after a crash, never of another run."""

from pathlib import Path

import pytest

from classifiers.evaluation.kept_answers import ANSWERS, RUN, KeptAnswers
from guard.terms.errors import ConfigError

ASKED = {"kind": "generate", "messages": [{"role": "user", "content": "Who?"}]}
REORDERED = dict(reversed(ASKED.items()))


def test_an_answer_is_found_after_a_restart_whatever_the_order_of_keys(tmp_path: Path) -> None:
    kept = KeptAnswers(tmp_path, {"data": "a"})
    assert kept.find(ASKED) is None
    kept.keep(ASKED, {"texts": ["Ada"]})
    kept.close()

    again = KeptAnswers(tmp_path, {"data": "a"})
    assert again.find(REORDERED) == {"texts": ["Ada"]}
    assert again.find({**ASKED, "kind": "score"}) is None
    assert len(again) == 1
    again.close()


def test_a_line_that_was_cut_off_is_asked_again(tmp_path: Path) -> None:
    kept = KeptAnswers(tmp_path, {})
    kept.keep(ASKED, {"texts": ["Ada"]})
    kept.keep({"n": 1}, {"texts": ["Bo"]})
    kept.close()
    whole = (tmp_path / ANSWERS).read_bytes()
    (tmp_path / ANSWERS).write_bytes(whole[:-5])

    again = KeptAnswers(tmp_path, {})
    assert again.find(ASKED) == {"texts": ["Ada"]}
    assert again.find({"n": 1}) is None
    again.keep({"n": 1}, {"texts": ["Bo"]})
    again.close()
    assert (tmp_path / ANSWERS).read_bytes() == whole


def test_answers_of_another_run_are_not_mixed_in(tmp_path: Path) -> None:
    KeptAnswers(tmp_path, {"data": "a", "model": "m"}).close()

    with pytest.raises(ConfigError, match="data differs"):
        KeptAnswers(tmp_path, {"data": "b", "model": "m"})
    with pytest.raises(ConfigError, match="model differs"):
        KeptAnswers(tmp_path, {"data": "a"})


def test_damage_is_named(tmp_path: Path) -> None:
    KeptAnswers(tmp_path, {}).close()
    (tmp_path / ANSWERS).write_bytes(b'["key", 1]\n')
    with pytest.raises(ConfigError, match=r"answers.jsonl:1"):
        KeptAnswers(tmp_path, {})
    (tmp_path / RUN).write_bytes(b"{")
    with pytest.raises(ConfigError, match=r"run.json: not JSON"):
        KeptAnswers(tmp_path, {})
