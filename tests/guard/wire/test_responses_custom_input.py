"""The text of a custom tool's call, read out of arguments in pieces."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.wire.responses.custom_input import CustomInput, decode_input, encode_input

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def cut(text: str, places: list[int]) -> list[str]:
    """`text` in pieces that end at `places`."""
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def streamed(arguments: str, places: list[int]) -> str:
    """The text that a stream of these pieces gives."""
    reader = CustomInput()
    return "".join(map(reader.feed, cut(arguments, places))) + reader.finish(arguments)


@given(TEXTS, st.booleans(), st.lists(st.integers(0, 1000)))
def test_any_text_comes_back_however_it_is_cut(text: str, ascii_only: bool, at: list[int]) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=ascii_only)

    assert streamed(arguments, at) == text
    assert decode_input(encode_input(text)) == text


@given(TEXTS, st.lists(st.integers(0, 1000)))
def test_arguments_of_another_form_are_given_as_they_are(arguments: str, at: list[int]) -> None:
    assert streamed(arguments, at).endswith(decode_input(arguments))


def test_text_is_given_while_it_comes() -> None:
    reader = CustomInput()

    assert [reader.feed(piece) for piece in ('{"inp', 'ut": "Gr', "\\u00", "fc\\", 'n"', "}")] == [
        "",
        "Gr",
        "",
        "ü",
        "\n",
        "",
    ]


@pytest.mark.parametrize(
    "arguments", ["", "{", '{"input": 3}', '{"other": "x"}', "[1]", "*** text"]
)
def test_what_is_no_such_object_is_its_own_text(arguments: str) -> None:
    assert decode_input(arguments) == arguments
    assert streamed(arguments, [1, 2, 3]) == arguments


def test_half_of_a_pair_waits_for_the_other() -> None:
    reader = CustomInput()

    pieces = [reader.feed(piece) for piece in ('{"input": "\\ud83d', "\\ude0", '0"}')]

    assert pieces == ["", "", "😀"]
