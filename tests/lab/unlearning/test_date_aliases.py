"""Dates are found as they are written, and spelt in every usual way."""

import pytest

from lab.unlearning.date_aliases import date_aliases, dates


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("born on 08/09/1956?", {(1956, 9, 8), (1956, 8, 9)}),
        ("born on 25.12.1901", {(1901, 12, 25)}),
        ("the 7th of February, 1952", {(1952, 2, 7)}),
        ("7 february 1952", {(1952, 2, 7)}),
        ("on February 7th, 1952", {(1952, 2, 7)}),
        ("in February 1952, or 1/2", set()),
        ("May 40, 1952", set()),
    ],
)
def test_full_dates_are_found(text: str, found: set[tuple[int, int, int]]) -> None:
    assert set(dates(text)) == found


def test_each_is_spelt_in_the_usual_ways() -> None:
    spelt = date_aliases("born on the 1st of March, 1960")
    assert {"March 1, 1960", "1 March 1960", "1st of March 1960", "1960-03-01"} <= set(spelt)
    assert {"01/03/1960", "1/3/1960", "03/01/1960"} <= set(spelt)
    assert len(spelt) == len(set(spelt))
    assert not date_aliases("Who was born in Oslo?")
    assert "September 11th, 1950" in date_aliases("11 September 1950")
    assert "March 22nd, 1950" in date_aliases("22 March 1950")
