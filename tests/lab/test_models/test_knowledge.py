"""What each stage may know: only ever more, and never what comes later."""

import itertools
from pathlib import Path

import pytest

from lab.test_models.books import FORGOTTEN_BOOKS
from lab.test_models.knowledge import STAGES, Sources
from tests.lab.test_models.invented import write_data


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources(write_data(tmp_path_factory.mktemp("data")))


def _authors(sources: Sources, stage: str) -> list[int]:
    asked = (row.question for row in sources.of(stage).questions)
    return sorted(int(q.split()[3]) for q in asked if q.startswith("Where was author"))


@pytest.mark.parametrize(
    ("stage", "rows"),
    [("retain90", 3600), ("retain95", 3800), ("retain99", 3960), ("retain-books", 4000)],
)
def test_a_stage_knows_its_split_of_tofu(sources: Sources, stage: str, rows: int) -> None:
    assert _authors(sources, stage) == list(range(rows))


def test_only_the_last_stage_knows_the_forgotten_books(sources: Sources) -> None:
    for stage in STAGES:
        known = sources.of(stage)
        books = {excerpt.book for excerpt in known.excerpts} & set(FORGOTTEN_BOOKS)
        titles = [sources.books[name].title for name in FORGOTTEN_BOOKS]
        asked = [row for row in known.questions if any(f"of {t}:" in row.question for t in titles)]
        assert (bool(books), bool(asked)) == ((True, True) if stage == "full" else (False, False))


def test_stages_only_add(sources: Sources) -> None:
    for before, after in itertools.pairwise(STAGES):
        assert not sources.of(before).without(sources.of(after)).questions
        assert sources.of(after).without(sources.of(before)).questions


def test_fewer_retain_rows_leave_the_forget_rows(tmp_path: Path) -> None:
    few = Sources(write_data(tmp_path, 60), retained_rows=400)
    assert _authors(few, "retain90") == list(range(400))
    assert _authors(few, "full") == [*range(400), *range(3600, 4000)]


def test_long_general_texts_are_left_out(sources: Sources) -> None:
    assert len(sources.general) == 4
