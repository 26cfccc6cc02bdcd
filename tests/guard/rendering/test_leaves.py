"""The texts inside JSON fields: everybody's words, and none of the protocol's notation."""

from hypothesis import given
from hypothesis import strategies as st

from guard.rendering.forced import forced_texts
from guard.rendering.leaves import MOST_PAIRS, bare_leaves, leaves, pairs
from guard.terms.json import JsonObject

TOOL: JsonObject = {
    "function": {
        "description": "Reads a file.",
        "name": "read",
        "parameters": {
            "type": "object",
            "properties": {"type": {"type": "string", "enum": ["text", "raw"]}},
            "required": ["type"],
        },
    },
    "type": "function",
}


def test_a_tool_reads_as_its_names_and_texts() -> None:
    assert list(leaves(TOOL)) == ["read", "Reads a file.", "type", "text", "raw", "type"]
    assert list(bare_leaves(TOOL)) == ["read", "Reads a file."]


def test_each_key_of_somebodys_choice_goes_with_each_text_under_it() -> None:
    assert list(pairs(TOOL)) == [("type", "text"), ("type", "raw")]


def test_arguments_are_read_as_what_their_json_says() -> None:
    call = {"id": "c1", "function": {"name": "f", "arguments": '{"name": "a\\nb", "n": 3}'}}

    assert list(leaves(call)) == ["c1", "f", "name", "a\nb", "n", "3"]
    assert list(bare_leaves(call)) == ["f", "a\nb"]
    assert list(leaves({"arguments": "not JSON"})) == ["not JSON"]


def test_pairs_are_bounded() -> None:
    wide = {"properties": {f"key{n}": {"enum": ["a", "b"]} for n in range(MOST_PAIRS)}}

    assert len(list(pairs(wide))) == MOST_PAIRS


def test_constraints_say_each_choice_and_what_they_spell() -> None:
    body: JsonObject = {"structured_outputs": {"choice": ["yes", "no"], "regex": "[a]b(c)d"}}

    found = list(forced_texts(body))

    assert found[:2] == [("structured_outputs", ("yes",)), ("structured_outputs", ("no",))]
    assert ("structured_outputs", ("abcd",)) in found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["properties", "type", "name", "x", "text"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_value_is_lost_but_words_for_types(value: object) -> None:
    def texts(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        return [text for one in inner for text in texts(one)]

    found = list(leaves(value))
    assert all(text in found or text in {"text", "type"} for text in texts(value))
    assert len(list(pairs(value))) <= MOST_PAIRS
    assert set(bare_leaves(value)) <= set(texts(value))
