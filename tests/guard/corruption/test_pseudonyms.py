"""Texts in other words, in their shape."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.corruption.noise import KeyedDraws
from guard.corruption.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(KeyedDraws(b"key", "set"))


@given(st.text())
def test_it_is_repeatable_and_nothing_but_ordinary_signs_is_left(text: str) -> None:
    changed = PSEUDONYMS.text("." + text)
    assert changed == PSEUDONYMS.text("." + text)
    assert re.fullmatch(r"""[a-zA-Z0-9\s,.;:?!()'"]*""", changed)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ilse Varnholt", r"[A-Z][a-z]{3} [A-Z][a-z]{7}"),
        ("a 1956 of ILSE", r"[a-z] [0-9]{4} [a-z]{2} [A-Z]{4}"),
        ("I-l-s-e, V.a.r.n", r"[A-Z] [a-z] [a-z] [a-z], [A-Z]\.[a-z]\.[a-z]\.[a-z]"),
        ("-.. .- --..", r"[\s.]+"),
        ("Варн", r"[A-Z][a-z]{3}"),
        ("", ""),
    ],
)
def test_words_are_others_of_their_form(text: str, kept: str) -> None:
    changed = PSEUDONYMS.text(text)
    assert re.fullmatch(kept, changed)
    assert "Ilse" not in changed
    assert "Varnholt" not in changed


def test_a_word_is_one_pseudonym_whatever_its_case_and_key_and_set_change_it() -> None:
    one, two = PSEUDONYMS.text("varnholt VARNHOLT").split()
    assert one == two.lower()
    others = {Pseudonyms(KeyedDraws(k, s)).text("varnholt") for k in (b"a", b"b") for s in "cd"}
    assert len(others) == 4


def test_json_keeps_its_keys_but_for_names_of_the_client_s() -> None:
    schema = {
        "type": "object",
        "properties": {"Varnholt": {"type": "string", "enum": ["Ilse"]}},
        "required": ["Varnholt"],
        "maximum": 3,
    }
    changed = json.loads(PSEUDONYMS.text(json.dumps(schema)))
    (name,) = changed["properties"]
    assert changed["required"] == [name] != ["Varnholt"]
    assert changed["properties"][name]["type"] == "string"
    assert changed["properties"][name]["enum"] != ["Ilse"]
    assert (changed["type"], changed["maximum"]) == ("object", 3)


def test_what_the_server_reads_stays_and_what_is_no_json_is_text() -> None:
    assert PSEUDONYMS.value({"name": "Varnholt", "type": "x"}) == {"name": "Varnholt", "type": "x"}
    assert PSEUDONYMS.text("[not json").strip() != "not json"
