"""PromptEmbedder: which tokens of a text are corrupted, and that it is repeatable."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.terms.errors import ArtifactError, RequestError
from tests.guard.corruption.checkpoints import (
    FLOAT_TYPES,
    make_tokenizer,
    random_rows,
    write_checkpoint,
)
from tests.guard.corruption.test_payload import load

NOISE = Corruption("rand_noise_first_n", 4, 5.0)
TABLE = EmbeddingTable(Path("tiny"), random_rows(300, 16, FLOAT_TYPES[0]))


def make(key: bytes = b"key", max_tokens: int = 1000) -> PromptEmbedder:
    return PromptEmbedder(TABLE, make_tokenizer(), key=key, max_tokens=max_tokens)


def rows(data: str) -> NDArray[np.float32]:
    array: NDArray[np.float32] = load(data).float().numpy()
    return array


def own_rows(text: str, add_special_tokens: bool = False) -> NDArray[np.float32]:
    ids = make_tokenizer().encode(text, add_special_tokens=add_special_tokens).ids
    own: NDArray[np.float32] = TABLE.rows(np.array(ids)).astype(np.float32)
    return own


def changed(data: str, text: str, add_special_tokens: bool = True) -> list[int]:
    """Positions of the tokens that are not the model's own."""
    differs = (rows(data) != own_rows(text, add_special_tokens)).any(axis=1)
    return [int(position) for position in np.flatnonzero(differs)]


def test_every_token_of_a_chat_part_is_corrupted_and_none_added() -> None:
    text = "<|user|> Who is Ann?"
    embeds = make().embed_text(text, "authors", NOISE)
    assert embeds.tokens == len(own_rows(text)) == 13
    assert changed(embeds.data, text, add_special_tokens=False) == list(range(13))


def test_without_a_corruption_the_models_own_rows_are_sent() -> None:
    text = "Who is Ann?"
    embedder = make()
    part = embedder.embed_text(text, "authors", None)
    prompt = embedder.embed_prompt(text, "authors", None)
    assert np.array_equal(rows(part.data), own_rows(text))
    assert np.array_equal(rows(prompt.data), own_rows(text, add_special_tokens=True))


def test_a_whole_prompt_is_corrupted_but_for_what_the_tokenizer_adds() -> None:
    embeds = make().embed_prompt("Ann", "authors", NOISE)
    assert embeds.tokens == 4
    assert changed(embeds.data, "Ann") == [1, 2, 3]


def test_a_begin_token_written_by_the_client_is_not_spared() -> None:
    embeds = make().embed_prompt("<s>Ann", "authors", NOISE)
    assert changed(embeds.data, "<s>Ann") == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "ranges", "expected"),
    [
        ("Who is Ann?", [(7, 10)], [8, 9, 10]),
        ("Who is Ann?", [(0, 3), (7, 10)], [1, 2, 3, 8, 9, 10]),
        ("Who is Ann?", [], []),
        ("Who is Ann?", [(5, 5)], []),
        ("é Ann", [(0, 1)], [1, 2]),  # two tokens of one character
        ("a <|user|> b", [(4, 5)], [3]),  # a part of a token takes all of it
    ],
)
def test_only_tokens_that_overlap_a_range_are_corrupted(
    text: str, ranges: list[tuple[int, int]], expected: list[int]
) -> None:
    embeds = make().embed_prompt(text, "authors", NOISE, corrupted=ranges)
    assert changed(embeds.data, text) == expected


@given(st.text(min_size=1, max_size=20), st.data())
def test_tokens_outside_the_ranges_are_bit_identical(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    embeds = make().embed_prompt(text, "authors", NOISE, corrupted=[(start, end)])
    before = len(make_tokenizer().encode(text[:start]))
    after = len(make_tokenizer().encode(text[end:], add_special_tokens=False))
    clean = own_rows(text, add_special_tokens=True)
    assert np.array_equal(rows(embeds.data)[:before], clean[:before])
    assert np.array_equal(rows(embeds.data)[len(clean) - after :], clean[len(clean) - after :])


def test_a_token_of_two_ranges_is_corrupted_once() -> None:
    flip = Corruption("flip_sign_first_n", 16)
    embeds = make().embed_prompt("Who is Ann?", "authors", flip, corrupted=[(0, 6), (2, 10)])
    assert changed(embeds.data, "Who is Ann?") == list(range(1, 11))


def test_asking_again_gives_the_same_prompt_also_from_another_process() -> None:
    first = make().embed_text("Who is Ann?", "authors", NOISE)
    assert make().embed_text("Who is Ann?", "authors", NOISE) == first


def test_key_and_forget_set_change_the_noise() -> None:
    noises = {
        rows(make(key).embed_text("Ann?", forget_set, NOISE).data)[0].tobytes()
        for key in (b"key", b"other")
        for forget_set in ("authors", "books")
    }
    assert len(noises) == 4


def test_copies_of_a_token_are_alike_in_one_prompt_and_in_the_next() -> None:
    """Else a client could average the noise away by asking the same again and again."""
    embedder = make()
    twice = rows(embedder.embed_text("Ann Ann", "authors", NOISE).data)
    assert np.array_equal(twice[:3], twice[4:])
    assert not np.array_equal(twice[:3], own_rows("Ann"))
    assert np.array_equal(rows(embedder.embed_text("Ann!", "authors", NOISE).data)[:3], twice[:3])


def test_strangers_stand_in_for_tokens_of_their_form() -> None:
    stranger = Corruption("stranger_first_n", 16)
    text = "Who is Ann?"
    embeds = make().embed_text(text, "authors", stranger)
    known = TABLE.weights.astype(np.float32)
    for row, own in zip(rows(embeds.data), own_rows(text), strict=True):
        assert (known == row).all(axis=1).any()
        assert row.shape == own.shape
    assert changed(embeds.data, text, add_special_tokens=False)
    assert make().embed_text(text, "authors", stranger) == embeds


def test_text_around_a_range_does_not_redraw_its_noise() -> None:
    embedder = make()
    short = embedder.embed_prompt("Ann", "authors", NOISE, corrupted=[(0, 3)])
    long = embedder.embed_prompt("Is it Ann?", "authors", NOISE, corrupted=[(6, 9)])
    assert np.array_equal(rows(short.data)[1:4], rows(long.data)[7:10])


def test_threads_share_one_embedder() -> None:
    embedder = make()
    texts = [f"Who is number {number}?" for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda text: embedder.embed_text(text, "a", NOISE), texts))
    assert found == [embedder.embed_text(text, "a", NOISE) for text in texts]


def test_tokens_are_counted_with_and_without_the_added_ones() -> None:
    embedder = make()
    assert embedder.count_tokens("Ann") == 3
    assert embedder.count_tokens("Ann", add_special_tokens=True) == 4


def test_a_prompt_longer_than_the_context_is_refused_as_vllm_does() -> None:
    embedder = make(max_tokens=4)
    assert embedder.embed_prompt("Ann", "authors", NOISE).tokens == 4
    with pytest.raises(RequestError, match=r"length is 4 tokens.* 5 input") as error:
        embedder.embed_prompt("Anna", "authors", NOISE)
    assert (error.value.status, error.value.code) == (400, "context_length_exceeded")


@pytest.mark.parametrize(("text", "message"), [("", "no tokens"), ("a\ud800", "Unicode")])
def test_a_text_that_cannot_be_embedded_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        make().embed_text(text, "authors", NOISE)


def test_a_tokenizer_that_cuts_or_pads_is_told_not_to() -> None:
    tokenizer = make_tokenizer()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=9)
    embedder = PromptEmbedder(TABLE, tokenizer, key=b"key", max_tokens=100)
    assert embedder.count_tokens("Annabel") == 7


def test_a_model_folder_is_opened_and_its_errors_name_the_file(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, random_rows(300, 16, FLOAT_TYPES[0]))
    embedder = PromptEmbedder.open(tmp_path, key=b"key", max_tokens=100)
    assert embedder.embed_text("Ann", "a", NOISE) == make().embed_text("Ann", "a", NOISE)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"tokenizer\.json: cannot be read"):
        PromptEmbedder.open(tmp_path, key=b"key", max_tokens=100)
