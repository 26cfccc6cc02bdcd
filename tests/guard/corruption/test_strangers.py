"""Which token stands in for which."""

import numpy as np
import pytest

from guard.corruption.noise import KeyedDraws
from guard.corruption.strangers import Form, Strangers, form_of
from tests.guard.corruption.checkpoints import make_tokenizer

VOCABULARY = {
    token: number
    for number, token in enumerate(
        [
            "<s>",
            "\u0120Ann",
            "\u0120Tom",
            "\u0120Eva",
            "ela",
            "oro",
            "?",
            "12",
            "77",
            "\u0120a",
            "\u0401\u0436",
        ]
    )
}
STRANGERS = Strangers(VOCABULARY, frozenset({0}))


@pytest.mark.parametrize(
    ("token", "form"),
    [
        ("\u0120Ann", (True, "capital", 3)),
        ("\u2581Ann", (True, "capital", 3)),
        ("ann", (False, "small", 3)),
        ("Constantinople", (False, "capital", 8)),
        ("1956", (False, "figures", 4)),
        ("\u0120\u0401", (True, "other", 1)),
        ("?", None),
        ("\u0120", None),
        ("", None),
    ],
)
def test_forms(token: str, form: Form | None) -> None:
    assert form_of(token) == form


def test_a_token_is_replaced_by_another_of_its_form() -> None:
    for number in range(20):
        draws = KeyedDraws(b"key", f"set {number}")
        ids = np.arange(len(VOCABULARY))
        new = STRANGERS.replacements(ids, draws).tolist()
        assert set(new[1:4]) <= {1, 2, 3}
        assert all(one != other for one, other in zip(new[1:6], range(1, 6), strict=True))
        assert (new[4], new[5], new[7], new[8]) == (5, 4, 8, 7)
        assert new[6] == 6  # punctuation stays
        assert new[9] == 9  # nobody else is like it
        assert new[0] != 0  # a special token in a text stays none


def test_key_and_set_choose() -> None:
    ids = np.arange(1, 4)
    chosen = {
        tuple(STRANGERS.replacements(ids, KeyedDraws(key, name)).tolist())
        for key in (b"one", b"two", b"three")
        for name in ("a", "b", "c")
    }
    assert len(chosen) > 3


def test_a_tokenizer_s_tokens_beyond_the_table_are_left_out() -> None:
    tokenizer = make_tokenizer()
    strangers = Strangers.of(tokenizer, 200)
    ids = np.array(tokenizer.encode("Who is Ann?", add_special_tokens=False).ids)
    new = strangers.replacements(ids, KeyedDraws(b"key", "a"))
    assert (new[new != ids] < 200).all()
    assert (new != ids).any()
