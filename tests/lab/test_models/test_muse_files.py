"""The books as MUSE's files and a forget request: what the readers of both find."""

from pathlib import Path

import pytest

from classifiers.evaluation.muse.data import MuseData, read_muse
from classifiers.forget.request import read_forget_prompts, read_request, read_retain_prompts
from lab.test_models.books import FORGOTTEN_BOOKS
from lab.test_models.knowledge import Sources
from lab.test_models.muse_files import CONTINUED_TOKENS, write_muse
from tests.lab.test_models.invented import tokenizer_of, write_data

TOKENIZER = tokenizer_of(["a traveller came to the gate and asked for bread"] * 2)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources(write_data(tmp_path_factory.mktemp("data"), 90), 400, excerpts=3)


@pytest.fixture(scope="module")
def folder(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("muse")
    write_muse(folder, sources, TOKENIZER)
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> MuseData:
    return read_muse(folder)


def test_passages_are_those_of_the_books(data: MuseData, sources: Sources) -> None:
    assert (len(data.forget), len(data.held_out), len(data.retain)) == (6, 6, 12)
    known = {excerpt.prompt for excerpt in sources.of("full").excerpts}
    assert {passage.prompt for passage in (*data.forget, *data.retain)} == known
    assert not {passage.prompt for passage in data.held_out} & known


def test_continuations_are_as_long_as_the_answers_they_are_compared_with(data: MuseData) -> None:
    for passage in (*data.forget, *data.held_out, *data.retain):
        ids = TOKENIZER(passage.continuation, add_special_tokens=False)["input_ids"]
        assert 0 < len(ids) <= CONTINUED_TOKENS


def test_questions_name_their_passage(data: MuseData, sources: Sources) -> None:
    texts = [e.text for name in FORGOTTEN_BOOKS for e in sources.books[name].train]
    assert data.forget_questions
    for row in data.forget_questions:
        assert row.answer in texts[row.passage]


def test_the_request_is_one(folder: Path) -> None:
    assert read_request(folder / "request").name == "two-books"
    forget = {prompt.text for prompt in read_forget_prompts(folder / "request")}
    retain = {prompt.text for prompt in read_retain_prompts(folder / "request")}
    assert len(forget) > 6 * 7
    assert not forget & retain
