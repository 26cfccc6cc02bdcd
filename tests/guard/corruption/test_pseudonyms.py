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


def test_names_of_the_client_s_are_identifiers_and_stay_where_they_hold_no_name() -> None:
    tool = {"type": "function", "function": {"name": "find_Varnholt x", "strict": True}}
    changed = PSEUDONYMS.value(tool)
    assert isinstance(changed, dict)
    name = changed["function"].pop("name")
    assert changed == {"type": "function", "function": {"strict": True}}
    assert re.fullmatch(r"[a-z]{4}_[A-Z][a-z]{7}_[a-z]", name)
    knowing = Pseudonyms(KeyedDraws(b"key", "set"), lambda text: "Varnholt" in text)
    assert knowing.identifier("find_it") == "find_it"
    assert knowing.identifier("find_Varnholt") != "find_Varnholt"
    assert knowing.value({"find_Varnholt": 1}) != {"find_Varnholt": 1}


def test_what_is_no_json_is_text_and_unknown_types_are_words() -> None:
    assert PSEUDONYMS.text("[not json").strip() != "not json"
    assert PSEUDONYMS.value({"type": "Varnholt"}) != {"type": "Varnholt"}
    assert PSEUDONYMS.value({"type": "object"}) == {"type": "object"}
