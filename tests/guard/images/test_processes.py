import asyncio
from collections.abc import AsyncIterator

import pytest

from guard.images.faults import PictureError
from guard.images.processes import Processes
from guard.settings import Images
from guard.terms.errors import ScreeningError
from tests.guard.images.pictures import SIZE, plain

BOUNDS: dict[str, object] = {"pixels": 1000, "frames": 1}


@pytest.fixture
async def processes() -> AsyncIterator[Processes]:
    made = Processes(Images(queue=1, read_text=False))
    yield made
    await made.close()


async def test_one_process_answers_one_picture_after_the_other(processes: Processes) -> None:
    for _ in range(2):
        said, data = await processes.ask(BOUNDS, plain())
        assert (said["width"], data[:4]) == (SIZE[0], b"\x89PNG")


async def test_a_process_that_dies_costs_its_picture_only(processes: Processes) -> None:
    with pytest.raises(PictureError):
        await processes.ask({"pixels": "none"}, plain())
    said, _ = await processes.ask(BOUNDS, plain())
    assert said["width"] == SIZE[0]


async def test_whoever_leaves_takes_the_process_along(processes: Processes) -> None:
    """Its answer, come late, would be the next one's."""
    asked = asyncio.ensure_future(processes.ask(BOUNDS, plain()))
    await asyncio.sleep(0)  # it has begun
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    said, _ = await processes.ask(BOUNDS, plain(size=(3, 3)))
    assert said["width"] == 3


async def test_where_too_many_wait_it_is_an_error_and_no_verdict(processes: Processes) -> None:
    asked = [asyncio.ensure_future(processes.ask(BOUNDS, plain())) for _ in range(3)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results].count(ScreeningError) == 1
    assert next(r for r in results if isinstance(r, ScreeningError)).code == "screening_overloaded"
