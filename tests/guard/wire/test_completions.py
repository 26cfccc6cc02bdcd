"""Completion requests: prompts as text, lists and token ids."""

from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire.completions import COMPLETION_FIELDS, parse
from guard.wire.fields import FieldRules, Rule


def spell(ids: list[int]) -> str:
    return "".join(chr(96 + token) for token in ids)


@pytest.mark.parametrize(
    ("prompt", "texts", "paths"),
    [
        ("hi", ["hi"], [("prompt",)]),
        (["a", "b"], ["a", "b"], [("prompt", 0), ("prompt", 1)]),
        ([1, 2, 3], ["abc"], [("prompt",)]),
        ([[1], [2, 3]], ["a", "bc"], [("prompt", 0), ("prompt", 1)]),
        (["x", [2, 3]], ["x", "bc"], [("prompt", 0), ("prompt", 1)]),
    ],
)
def test_every_prompt_is_a_item(prompt: Any, texts: list[str], paths: list[Any]) -> None:
    call = parse({"model": "m", "prompt": prompt}, FieldRules(), spell)

    assert [item.text for item in call.items] == texts
    assert [item.path for item in call.items] == paths
    assert call.body["prompt"] == prompt


@pytest.mark.parametrize("name", ["suffix", "stop", "bad_words", "response_format"])
def test_other_texts_are_spans_too(name: str) -> None:
    call = parse({"model": "m", "prompt": "x", name: ["CANARY"]}, FieldRules(), None)

    assert [item.text for item in call.items if item.role == name] == ["CANARY"]


@pytest.mark.parametrize(
    ("prompt", "param"),
    [
        (None, "prompt"),
        ([], "prompt"),
        (5, "prompt"),
        ({"text": "x"}, "prompt"),
        ([1, "a"], "prompt.0"),
        (["a", None], "prompt.1"),
        ([True], "prompt.0"),
        ([[]], "prompt.0"),
        ([["a"]], "prompt.0"),
        (["a"] * 1000, "prompt"),
    ],
)
def test_malformed_prompts_name_the_place(prompt: Any, param: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse({"model": "m", "prompt": prompt}, FieldRules(), spell)

    assert caught.value.param == param


def test_token_prompts_need_a_tokenizer() -> None:
    with pytest.raises(RequestError) as caught:
        parse({"model": "m", "prompt": [1, 2]}, FieldRules(), None)

    assert caught.value.code == "field_refused"


@pytest.mark.parametrize(
    "name", [n for n, rule in COMPLETION_FIELDS.items() if rule is Rule.REFUSED]
)
def test_refused_fields(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse({"model": "m", "prompt": "x", name: "y"}, FieldRules(), None)

    assert (caught.value.param, caught.value.code) == (name, "field_refused")
