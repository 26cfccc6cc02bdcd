"""Earlier turns of a chat, and the chat without them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guard.terms.item import Call
from guard.wire.chat import parse
from guard.wire.fields import FieldRules
from guard.wire.history import Turn, earlier_turns, turns_of, without_turns

Message = dict[str, Any]

SYSTEM: Message = {"role": "system", "content": "You are a clerk."}
CHAT: list[Message] = [
    SYSTEM,
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "answer one"},
    {"role": "user", "content": "second"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]},
    {"role": "tool", "content": "a result", "tool_call_id": "1"},
    {"role": "assistant", "content": "answer two"},
    {"role": "user", "content": "third"},
]


def chat(messages: list[Message] | None = None, **fields: object) -> Call:
    """A parsed chat request."""
    body = {"model": "demo", "messages": CHAT if messages is None else messages, **fields}
    return parse(body, FieldRules(), None)


def numbers(call: Call, *texts: str) -> list[int]:
    """The indices of the items with these texts."""
    return [index for index, item in enumerate(call.items) if item.text in texts]


def test_the_turn_to_be_answered_is_no_earlier_one() -> None:
    assert earlier_turns(chat()) == [Turn(1, 3), Turn(3, 7)]
    assert earlier_turns(chat([SYSTEM, CHAT[1]])) == []
    assert earlier_turns(chat([SYSTEM])) == []


def test_pictures_of_a_tool_begin_no_turn_and_go_with_theirs() -> None:
    messages = [CHAT[1], CHAT[5], CHAT[1], CHAT[2], CHAT[7], CHAT[5], CHAT[3], CHAT[2], CHAT[7]]
    call = parse({"messages": messages}, FieldRules(), None, frozenset({2, 6}))
    assert earlier_turns(call) == [Turn(0, 4), Turn(4, 8)]
    assert without_turns(call, [Turn(0, 4)]).quoted == {2}
    assert without_turns(call, [Turn(4, 8)], "(gone)").quoted == {2}


def test_items_are_found_in_their_turns() -> None:
    call = chat()
    assert turns_of(call, numbers(call, "first")) == [Turn(1, 3)]
    assert turns_of(call, numbers(call, "a result", "first")) == [Turn(1, 3), Turn(3, 7)]
    assert turns_of(call, []) == []


def test_what_stands_elsewhere_cannot_be_cut() -> None:
    call = chat(stop=["a word"])
    for text in ("third", "You are a clerk.", "a word"):
        assert turns_of(call, numbers(call, text, "first")) is None


def test_a_turn_goes_with_its_answer_and_its_tools() -> None:
    call = chat()
    shorter = without_turns(call, [Turn(3, 7)])
    assert shorter.body["messages"] == [*CHAT[:3], CHAT[7]]
    assert shorter.items == chat([*CHAT[:3], CHAT[7]]).items


def test_a_note_stands_in_its_place() -> None:
    shorter = without_turns(chat(), [Turn(1, 3)], "(removed)")
    noted = [SYSTEM, {"role": "user", "content": "(removed)"}, *CHAT[3:]]
    assert shorter.body["messages"] == noted
    assert set(shorter.items) == set(chat(noted).items)


ROLES = st.sampled_from(["system", "user", "assistant", "tool"])


@given(st.lists(ROLES, min_size=1, max_size=12), st.data())
def test_what_is_left_is_what_its_messages_alone_would_give(
    roles: list[str], data: st.DataObject
) -> None:
    messages: list[Message] = [
        {"role": role, "content": f"text {n}"} for n, role in enumerate(roles)
    ]
    call = chat([dict(message) for message in messages])
    turns = earlier_turns(call)
    chosen = data.draw(st.lists(st.sampled_from(turns), unique=True)) if turns else []
    cut = {index for turn in chosen for index in range(turn.start, turn.end)}
    left = [message for index, message in enumerate(messages) if index not in cut]
    shorter = without_turns(call, chosen)
    assert shorter.body["messages"] == left
    assert shorter.items == chat(left).items
    assert messages[-1] in left
