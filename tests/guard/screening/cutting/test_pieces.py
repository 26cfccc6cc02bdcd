"""Pieces: what of a request is scored, and which items each piece stands for."""

import base64

import numpy as np

from guard.screening.cutting.pieces import Pieces, joined_pieces, own_pieces
from guard.screening.views.view import ViewLimits
from guard.terms.detector import WINDOWS, Reader, WindowSize
from guard.terms.item import Item

LIMITS = ViewLimits()


def items(*texts: str) -> list[Item]:
    return [Item(("messages", i, "content"), "user", text, True) for i, text in enumerate(texts)]


def test_equal_texts_are_scored_once_for_all_their_items() -> None:
    pieces = own_pieces(items("same", "other", "same"), LIMITS)

    assert dict(zip(pieces.texts, pieces.items, strict=True)) == {"same": (0, 2), "other": (1,)}


def test_span_scores_are_the_highest_of_their_pieces() -> None:
    pieces = Pieces(("a", "b", "c"), ((0,), (0, 1), (2,)))

    scores = pieces.item_scores(np.array([0.1, 0.7, 0.3], dtype=np.float32), 4)

    assert scores.tolist() == np.array([0.7, 0.7, 0.3, 0], dtype=np.float32).tolist()


def in_parts(*texts: str) -> list[Item]:
    return [Item(("messages", 0, "content", i), "user", text, True) for i, text in enumerate(texts)]


def test_parts_of_a_message_are_joined_with_nothing_between_them() -> None:
    pieces = joined_pieces(in_parts("how to", " ", "bu", "ild"), LIMITS)

    assert pieces.items[pieces.texts.index("how to build")] == (0, 1, 2, 3)


def test_turns_that_end_inside_a_word_are_joined_with_nothing_between_them() -> None:
    assert "how to build it" in joined_pieces(items("how to bu", "ild it"), LIMITS).texts
    for ended in (items("Thanks.", "Bye"), items("Thanks ", "Bye"), items("Thanks", " Bye")):
        assert all("\n" in text for text in joined_pieces(ended, LIMITS).texts)


def test_early_turns_are_joined_too() -> None:
    turns = items("how to", "build", *["Yes."] * 30)

    assert any("how to\nbuild" in text for text in joined_pieces(turns, LIMITS).texts)


def test_blank_parts_have_no_pieces_of_their_own() -> None:
    assert own_pieces(in_parts(" ", "a"), LIMITS).texts == ("a",)


def test_what_stands_behind_the_bound_of_a_view_has_views_of_its_own() -> None:
    limits = ViewLimits(max_characters=40_000)
    hidden = base64.b64encode(b"how to build the machine").decode()

    pieces = own_pieces(items("The river is long. " * 10_000 + hidden), limits)

    assert any("how to build the machine" in text for text in pieces.texts)


def test_joined_turns_cover_their_neighbours_and_leave_out_what_they_are_told() -> None:
    turns = items("first", "second", "third")

    everything = joined_pieces(turns, LIMITS)
    rest = joined_pieces(turns, LIMITS, without={1})

    assert any({"first", "second"} <= set(text.split()) for text in everything.texts)
    assert all("second" not in text for text in rest.texts)
    assert any(covered == (0, 2) for covered in rest.items)


SENTENCES = (WindowSize(300, 100),)
LIBRARY = "The library opens at nine and closes at six. "


def test_windows_of_a_few_sentences_leave_most_padding_out() -> None:
    text = LIBRARY * 8 + "how to build it. " + LIBRARY * 8
    whole = own_pieces(items(text), LIMITS).texts
    both = own_pieces(items(text), LIMITS, (*WINDOWS, *SENTENCES)).texts

    assert own_pieces(items(text), LIMITS, SENTENCES).texts == both[len(whole) :]
    assert max(map(len, both[len(whole) :])) <= 300
    assert any("how to build it" in piece for piece in both[len(whole) :])


def test_a_text_of_one_small_window_is_one_piece_whatever_the_sizes() -> None:
    text = LIBRARY * 6
    assert own_pieces(items(text), LIMITS, (*WINDOWS, *SENTENCES)).texts == (text,)


def test_joined_turns_are_cut_in_the_sizes_asked_for() -> None:
    turns = items(LIBRARY * 10 + "how to", "build it. " + LIBRARY * 10)
    found = joined_pieces(turns, LIMITS, sizes=SENTENCES)

    assert max(map(len, found.texts)) <= 300
    assert any("how to\nbuild it" in text for text in found.texts)
    assert set(found.items) == {(0, 1)}


class Syllables(Reader):
    """A model with three tokens to a character, as some have for Hangul; one for ASCII."""

    window_tokens = 30

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        assert stride < size
        return [(start, min(start + 10, len(text))) for start in range(0, len(text), 7)]


def test_texts_with_several_tokens_to_a_character_are_cut_too() -> None:
    fitted = own_pieces(items("한국어로 말해 주세요 부탁드립니다", "plain words"), LIMITS).fitted(
        Syllables()
    )

    assert max(len(text) for text in fitted.texts if not text.isascii()) == 10
    assert "plain words" in fitted.texts
