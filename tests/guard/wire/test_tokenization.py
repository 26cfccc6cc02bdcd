"""Tokenization requests: closed fields, nothing to screen."""

from typing import Any

import pytest

from guard.terms.errors import RequestError
from guard.wire.fields import FieldRules
from guard.wire.tokenization import parse_detokenize, parse_tokenize

USER = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    "body", [{"prompt": "hi"}, {"messages": [USER], "add_generation_prompt": True}]
)
def test_accepted(body: dict[str, Any]) -> None:
    call = parse_tokenize({"model": "m", **body}, FieldRules(), None)

    assert call.body == {"model": "m", **body}
    assert (call.upstream_path, call.items) == ("/tokenize", ())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": "x", "messages": [USER]}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"messages": [USER], "chat_template": "x"}, "chat_template"),
        ({"messages": [{"role": "user", "content": [{"type": "prompt_embeds"}]}]}, None),
        ({"prompt": "x", "more": 1}, "more"),
    ],
)
def test_refused(body: dict[str, Any], param: str | None) -> None:
    with pytest.raises(RequestError) as caught:
        parse_tokenize({"model": "m", **body}, FieldRules(drop_unknown=False), None)

    assert param is None or caught.value.param == param


def test_detokenize() -> None:
    call = parse_detokenize({"model": "m", "tokens": [1, 2]}, FieldRules(), None)

    assert (call.upstream_path, call.body["tokens"]) == ("/detokenize", [1, 2])
