"""Embedding requests: screened like prompts, but never rewritten."""

from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire.embeddings import parse
from guard.wire.fields import FieldRules


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ({"input": "a"}, ["a"]),
        ({"input": ["a", "b"]}, ["a", "b"]),
        ({"messages": [{"role": "user", "content": "a"}]}, ["a"]),
        ({"input": [1, 2]}, ["12"]),
    ],
)
def test_texts_are_screened_and_cannot_be_corrupted(body: dict[str, Any], texts: list[str]) -> None:
    call = parse({"model": "m", **body}, FieldRules(), lambda ids: "".join(map(str, ids)))

    assert [item.text for item in call.items] == texts
    assert not any(item.corruptible for item in call.items)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": 5}, "input"),
        ({"input": "x", "truncate_prompt_tokens": 3}, "truncate_prompt_tokens"),
        ({"input": "x", "prompt_embeds": "y"}, "prompt_embeds"),
    ],
)
def test_refused(body: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse({"model": "m", **body}, FieldRules(drop_unknown=False), None)

    assert caught.value.param == param
