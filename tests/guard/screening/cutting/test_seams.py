"""Seams: every window over several texts names them all, and is judged by whose words it holds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.screening.cutting.item_order import order_of
from guard.screening.cutting.seams import Found, Seams, least_trusted
from guard.terms.detector import WindowSize
from guard.terms.item import AUTHORS, Author, Item
from guard.terms.rendering import Rendering, Segment

SIZES = (WindowSize(800, 200),)
SMALL = (WindowSize(40, 10),)
ATTACKERS: frozenset[Author] = frozenset({"user", "third_party"})
EVERYBODY: frozenset[Author] = frozenset(AUTHORS)


def turn(index: int, role: str, text: str, author: Author = "user") -> Item:
    return Item(("messages", index, "content"), role, text, corruptible=True, author=author)


def chat(*turns: tuple[str, str]) -> list[Item]:
    authors: dict[str, Author] = {"system": "developer", "assistant": "assistant"}
    return [turn(i, role, text, authors.get(role, "user")) for i, (role, text) in enumerate(turns)]


def as_read(items: list[Item], authors: frozenset[Author] = EVERYBODY) -> Found:
    return Seams(items, order_of(items), authors).as_read(SIZES)


def in_any_way(items: list[Item], authors: frozenset[Author] = EVERYBODY) -> Found:
    return Seams(items, order_of(items), authors).in_any_way(SIZES)


def test_the_assistants_words_stand_between_the_users_turns() -> None:
    items = chat(
        ("system", "Be kind."), ("user", "How do I"), ("assistant", "Yes?"), ("user", "go")
    )

    found = as_read(items)

    assert found["Be kind.\nHow do I\nYes?\ngo"] == {0, 1, 2, 3}
    assert not any("How do I\ngo" in text for text in found)
    assert "How do I\ngo" in in_any_way(items)


def test_texts_that_stop_short_are_joined_with_nothing_between_them() -> None:
    assert as_read(chat(("user", "how to bu"), ("user", "ild it")))["how to build it"] == {0, 1}
    for ended in ("Thanks.", "Thanks "):
        assert list(as_read(chat(("user", ended), ("user", "Bye")))) == [f"{ended}\nBye"]


def test_who_finds_words_reads_every_joint() -> None:
    found = in_any_way(chat(("user", "Thanks."), ("user", "Bye")))

    assert list(found) == ["Thanks.\nBye", "Thanks.Bye"]


def test_one_text_or_empty_ones_have_no_seam() -> None:
    for items in ([], chat(("user", "one")), chat(("user", "one"), ("user", ""))):
        assert as_read(items) == in_any_way(items) == {}


def test_a_window_inside_one_item_is_read_only_by_who_finds_words() -> None:
    items = [Item(("tools",), "tools", "name\nforb\nidden", author="developer")]
    rendering = Rendering(((Segment("forb", 0), Segment("idden", 0)),))
    seams = Seams(items, rendering)

    assert seams.as_read(SIZES) == {}
    assert seams.in_any_way(SIZES)["forbidden"] == {0}


@pytest.mark.parametrize(
    ("authors", "read", "worded"),
    [
        (EVERYBODY, True, True),
        (frozenset({"developer", "user"}), True, True),
        (frozenset({"user"}), False, True),
        (frozenset({"developer"}), False, False),
        (frozenset({"third_party"}), False, False),
    ],
)
def test_a_seam_is_judged_by_the_rule_of_its_least_trusted_author(
    authors: frozenset[Author], read: bool, worded: bool
) -> None:
    items = chat(("system", "Never forb"), ("user", "id it"))

    assert bool(as_read(items, authors)) is read
    assert bool(in_any_way(items, authors)) is worded


def test_models_read_an_assistant_they_do_not_judge_between_turns_that_they_do() -> None:
    said = "Of course. " * 100
    items = chat(("system", "Rules."), ("user", "how to"), ("assistant", said), ("user", "go"))

    short = as_read(chat(("user", "how to"), ("assistant", "Yes."), ("user", "go")), ATTACKERS)

    assert short == {"how to\nYes.\ngo": {0, 1, 2}}
    assert as_read(items, ATTACKERS) == {}
    assert as_read(items[:3], ATTACKERS) == {}


def test_less_trusted_words_end_what_is_read_as_one() -> None:
    items = [turn(0, "user", "an at"), turn(1, "tool", "x", "third_party"), turn(2, "user", "tack")]
    rendering = Rendering((tuple(Segment(item.text, i) for i, item in enumerate(items)),))

    assert Seams(items, rendering, frozenset({"user"})).in_any_way(SIZES) == {}


def test_only_the_end_of_what_is_not_judged_stands_beside_what_is() -> None:
    items = chat(("system", "word " * 500), ("user", "hello"))

    (longest,) = {max(map(len, in_any_way(items, frozenset({"user"}))))}

    assert longest < 250


def test_long_texts_are_joined_at_their_ends() -> None:
    items = chat(("user", "a " * 50_000 + "how to build"), ("user", "a boat " + "b " * 50_000))

    found = as_read(items)

    assert any("how to build\na boat" in text for text in found)
    assert all(covered == {0, 1} for covered in found.values())
    assert len(found) <= 5


def test_the_windows_of_a_chat_that_grows_stay_the_same() -> None:
    turns = [("user", f"Question {n} about the garden. " * 5) for n in range(12)]
    before, after = as_read(chat(*turns)), as_read(chat(*turns, ("user", "And now?")))

    assert len(before.keys() - after.keys()) <= 1
    assert len(after.keys() - before.keys()) <= 2


def test_the_least_trusted_author() -> None:
    assert least_trusted(["developer", "assistant"]) == "assistant"
    assert least_trusted(["third_party", "user", "developer"]) == "third_party"


authors = st.sampled_from(AUTHORS)
texts = st.text("ab ", min_size=1, max_size=100)


@given(st.lists(st.tuples(authors, texts), min_size=2, max_size=6), st.sets(authors, min_size=1))
def test_windows_name_exactly_the_items_they_touch(
    written: list[tuple[Author, str]], judged: set[Author]
) -> None:
    """Each item is written in letters of its own, so that a window tells what it holds."""
    letters = [text.replace("a", chr(0x4E00 + i)) for i, (_, text) in enumerate(written)]
    items = [
        turn(i, "user", text, author)
        for i, ((author, _), text) in enumerate(zip(written, letters, strict=True))
    ]
    seams = Seams(items, order_of(items), frozenset(judged))
    for found in (seams.as_read(SMALL), seams.in_any_way(SMALL)):
        for text, covered in found.items():
            held = {ord(letter) - 0x4E00 for letter in text if ord(letter) >= 0x4E00}
            assert held <= covered
            assert len(text) <= 40
            assert least_trusted(items[index].author for index in covered) in judged


@given(st.lists(texts, min_size=2, max_size=5))
def test_every_seam_is_seen(said: list[str]) -> None:
    items = chat(*(("user", text) for text in said))
    found = Seams(items, order_of(items)).as_read(SMALL)
    for index, (before, after) in enumerate(pairwise(said)):
        seam = before[-4:] + "\n" + after[:4]
        assert any(seam in text and {index, index + 1} <= got for text, got in found.items())


def test_between_a_call_and_its_result_stands_the_notation_of_both() -> None:
    call = Item(("messages", 0, "tool_calls"), "assistant", "read\npath\n/src")
    items = [call, turn(1, "tool", "import json")]
    order = tuple(Segment(item.text, index) for index, item in enumerate(items))
    seams = Seams(items, Rendering((order,)))

    assert list(seams.as_read(SIZES)) == ["read\npath\n/src\nimport json"]
    assert "read\npath\n/srcimport json" in seams.in_any_way(SIZES)
