"""Flagged settings lose what they say; the rest of the request stays."""

from typing import Any

import pytest

from guard.corruption.settings_hidden import hide
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire import chat, completions, embeddings
from guard.wire.fields import FieldRules

HELLO: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
NAME = "Ilse Varnholt"


def spell(ids: list[int]) -> str:
    return " ".join(map(str, ids))


def chat_call(**fields: Any) -> Call:
    return chat.parse({**HELLO, **fields}, FieldRules(), spell)


def hidden(call: Call) -> JsonObject:
    """The body where everything that is not corruptible is flagged."""
    flagged = {index: "set" for index, item in enumerate(call.items) if not item.corruptible}
    return hide(call, call.body, flagged, b"key")


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"stop": NAME}, {"stop": []}),
        ({"stop": ["\n", NAME, "##", "END"]}, {"stop": ["\n", "##", "END"]}),
        ({"bad_words": [NAME, "I"]}, {"bad_words": ["I"]}),
        ({"logit_bias": {"7": 5}}, {}),
        ({"allowed_token_ids": [7, 8]}, {}),
        ({"structured_outputs": {"regex": f"{NAME} was born in [A-Z][a-z]+"}}, {}),
        ({"structured_outputs": {"grammar": f'root ::= "{NAME}"'}}, {}),
        ({"response_format": {"type": "json_schema", "json_schema": {"x": NAME}}}, {}),
    ],
)
def test_what_stops_bans_or_bounds_is_dropped(fields: dict[str, Any], left: dict[str, Any]) -> None:
    assert hidden(chat_call(**fields)) == {**HELLO, **left}


def test_a_choice_without_a_name_is_taken_always_the_same() -> None:
    choices = [NAME, "Pia Berg", "Otto Berg"]
    call = chat_call(structured_outputs={"choice": choices})
    flagged = {index: "set" for index, item in enumerate(call.items) if not item.corruptible}
    bodies = [hide(call, call.body, flagged, b"key", lambda _, text: NAME in text) for _ in "ab"]
    assert bodies[0] == bodies[1]
    outputs = bodies[0]["structured_outputs"]
    assert isinstance(outputs, dict)
    (taken,) = outputs["choice"]
    assert taken in choices[1:]
    for names_in in (None, lambda *_: True, lambda *_: False):
        assert hide(call, call.body, flagged, b"key", names_in) == HELLO, "dropped"


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "description": NAME}}]},
        {"documents": [{"title": NAME, "text": f"{NAME} was a poet."}]},
    ],
)
def test_other_texts_get_other_words(fields: dict[str, Any]) -> None:
    body = hidden(chat_call(**fields))
    assert body["messages"] == HELLO["messages"]
    assert body.keys() == {*HELLO, *fields}
    assert "Varnholt" not in str(body)
    assert "Ilse" not in str(body)


def test_names_and_tool_calls_of_messages() -> None:
    function = {"name": "find", "arguments": f'{{"who": "{NAME}", "all": true}}'}
    messages = [
        {"role": "user", "content": "hello", "name": "Varnholt"},
        {
            "role": "assistant",
            "content": "hm",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
    ]
    call = chat.parse({"model": "m", "messages": messages}, FieldRules(), None)
    changed = hidden(call)["messages"]
    assert isinstance(changed, list)
    first, second = changed
    assert first == {"role": "user", "content": "hello"}
    (made,) = second["tool_calls"]
    assert made["type"] == "function"
    assert len(made["id"]) == len("call_1")
    assert "Varnholt" not in made["function"]["arguments"]
    assert made["function"]["arguments"].endswith(": true}")


def test_what_pools_and_suffixes_too() -> None:
    pooled = embeddings.parse({"model": "m", "input": [[3, 1, 2], [5, 4]]}, FieldRules(), spell)
    assert hidden(pooled)["input"] == [[1, 2, 3], [4, 5]]
    suffix = completions.parse({"model": "m", "prompt": "x", "suffix": NAME}, FieldRules(), None)
    assert "Varnholt" not in str(hidden(suffix))
    assert hidden(suffix)["prompt"] == "x"


def test_what_nobody_flagged_stays() -> None:
    call = chat_call(stop=NAME)
    assert hide(call, call.body, {}, b"key") == call.body
    assert hide(call, call.body, {0: "set"}, b"key") == call.body, "embeddings stand for it"
