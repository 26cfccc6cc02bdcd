"""The usual spellings of the full dates in a text, as aliases of a forget request.

Some forget prompts name nobody: 'the author born in Oslo on 08/09/1956'. The date is then as good
as a name, and a paraphrase spells it otherwise.
"""

import re
from collections.abc import Iterator
from itertools import product

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_MONTH = "|".join(MONTHS)
_NUMBERS = re.compile(r"\b(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})\b")
_DAY_FIRST = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH}),? (\d{{4}})\b", re.IGNORECASE
)
_MONTH_FIRST = re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", re.IGNORECASE)

Date = tuple[int, int, int]
"""Year, month, day."""


def date_aliases(text: str) -> tuple[str, ...]:
    """Every usual spelling of every full date in a text; of `08/09/1956` both readings."""
    return tuple(dict.fromkeys(way for date in sorted(set(dates(text))) for way in _spelt(*date)))


def dates(text: str) -> Iterator[Date]:
    """The full dates of a text; one of numbers may be two."""
    for first, second, year in _NUMBERS.findall(text):
        yield from _valid(int(year), int(first), int(second))
        yield from _valid(int(year), int(second), int(first))
    for day, month, year in _DAY_FIRST.findall(text):
        yield from _valid(int(year), MONTHS.index(month.title()) + 1, int(day))
    for month, day, year in _MONTH_FIRST.findall(text):
        yield from _valid(int(year), MONTHS.index(month.title()) + 1, int(day))


def _valid(year: int, month: int, day: int) -> Iterator[Date]:
    if 1 <= month <= len(MONTHS) and 1 <= day <= 31:
        yield year, month, day


def _spelt(year: int, month: int, day: int) -> Iterator[str]:
    named, ending = MONTHS[month - 1], _ending(day)
    for number, comma in product((f"{day}", f"{day}{ending}"), (",", "")):
        yield f"{named} {number}{comma} {year}"
        yield f"{number} {named}{comma} {year}"
    yield f"{day}{ending} of {named} {year}"
    yield f"{day}{ending} of {named}, {year}"
    yield f"{year}-{month:02}-{day:02}"
    for (one, other), sign in product(((day, month), (month, day)), "/.-"):
        yield f"{one:02}{sign}{other:02}{sign}{year}"
        yield f"{one}{sign}{other}{sign}{year}"


def _ending(day: int) -> str:
    if day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
