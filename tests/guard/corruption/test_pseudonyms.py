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
def test_length_and_signs_stay_and_it_is_repeatable(text: str) -> None:
    changed = PSEUDONYMS.text("." + text)
    assert len(changed) == len(text) + 1
    assert changed == PSEUDONYMS.text("." + text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ilse Varnholt", r"[A-Z][a-z]{3} [A-Z][a-z]{7}"),
        ("a 1956 of ILSE", r"a 1956 of [A-Z]{4}"),
        (r"(Ilse|Otto)\d+[A-Za-z]*", r"\([A-Z][a-z]{3}\|[A-Z][a-z]{3}\)\\d\+\[A-Za-z\]\*"),
        ("root ::= word", r"root ::= [a-z]{4}"),
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
        "properties": {"Varnholt": {"type": "string", "enum": ["Ilse", "it"]}},
        "required": ["Varnholt"],
        "maximum": 3,
    }
    changed = json.loads(PSEUDONYMS.text(json.dumps(schema)))
    (name,) = changed["properties"]
    assert changed["required"] == [name] != ["Varnholt"]
    assert changed["properties"][name]["type"] == "string"
    assert changed["properties"][name]["enum"][1] == "it"
    assert (changed["type"], changed["maximum"]) == ("object", 3)


def test_what_is_kept_stays() -> None:
    kept = Pseudonyms(KeyedDraws(b"key", "set"), frozenset({"enum"}))
    assert kept.value({"enum": ["Varnholt"], "name": "Varnholt"}) == {
        "enum": ["Varnholt"],
        "name": "Varnholt",
    }
    assert PSEUDONYMS.text("[not json") != "[not json"
    assert sorted(PSEUDONYMS.text("Варнхольт")) == sorted("Варнхольт")
