"""System prompts that are pinned are found among the texts of a request."""

from pathlib import Path

import pytest

from guard.recognition.digests import Digester
from guard.recognition.prompts import NOTHING_PINNED, PinnedPrompts
from guard.settings import Recognition
from guard.terms.errors import ConfigError
from guard.wire.fields import FieldRules
from guard.wire.protocols import CHAT

DIGESTER = Digester(b"k" * 32, shared=True)
MESSAGES = [
    {"role": "system", "content": "You are a tutor.\n"},
    {"role": "system", "content": [{"type": "text", "text": "Be brief."}], "name": "x"},
    {"role": "user", "content": "You are a tutor."},
]
ITEMS = CHAT.parse({"model": "m", "messages": MESSAGES}, FieldRules(), None).items


def test_a_pinned_prompt_is_known_where_the_system_says_it() -> None:
    pinned = PinnedPrompts(DIGESTER, frozenset({DIGESTER.digest(["You are a tutor."])}))
    known, unknown = pinned.look(ITEMS)
    assert [ITEMS[place].path for place in known] == [("messages", 0, "content")]
    assert [ITEMS[place].path for place in unknown] == [("messages", 1, "content", 0)]


def test_where_nothing_is_pinned_nothing_is_looked_for() -> None:
    assert NOTHING_PINNED.look(ITEMS) == ([], [])
    assert list(NOTHING_PINNED.prompts(ITEMS)) == []
    assert PinnedPrompts.load(Recognition()) is not None


def test_pins_need_a_secret_that_lasts(tmp_path: Path) -> None:
    settings = Recognition(prompts=tmp_path / "pins.json", key_env="ECOGUARD_UNSET_FOR_TESTS")
    with pytest.raises(ConfigError, match=r"recognition\.key_env: .* is not set: prompts need it"):
        PinnedPrompts.load(settings)
