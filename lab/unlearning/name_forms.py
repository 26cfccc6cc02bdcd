"""The ways in which people write a name, of people who do not exist."""

from collections.abc import Callable, Mapping

from guard.detectors.names.spelt_out import RADIO_ALPHABET
from lab.unlearning.scripts import arabic, chinese, cyrillic, devanagari, greek, hangul, kana

Form = Callable[[str, str], str]
"""A given name and a last name, written."""

_RADIO = {letter: word.capitalize() for word, letter in RADIO_ALPHABET.items()}


def _twice(text: str, at: int) -> str:
    return text[: at + 1] + text[at:]


def _spelt(text: str, between: str) -> str:
    return between.join(text.replace(" ", ""))


FORMS: Mapping[str, Form] = {
    "as it stands": lambda g, f: f"{g} {f}",
    "small letters": lambda g, f: f"{g} {f}".lower(),
    "last name first": lambda g, f: f"{f}, {g}",
    "initial between": lambda g, f: f"{g} M. {f}",
    "two initials between": lambda g, f: f"{g} J. K. {f}",
    "particle": lambda g, f: f"{g} van {f}",
    "particle with a capital": lambda g, f: f"{g} Van {f}",
    "Arabic article": lambda g, f: f"{g} al-{f}",
    "two particles": lambda g, f: f"{g} de la {f}",
    "middle names": lambda g, f: f"{g} Maria Elise {f}",
    "title between": lambda g, f: f"{f}, Dr. {g} M.",
    "nickname between": lambda g, f: f'{g} "the Fox" {f}',
    "generation": lambda g, f: f"{g} {f} Jr.",
    "brackets": lambda g, f: f"{g} ({f})",
    "apart": lambda g, f: f"{g}, whose last name is {f},",
    "last name one letter short": lambda g, f: f"{g} {f[:-1]}",
    "last name two letters short": lambda g, f: f"{g} {f[:-2]}",
    "last name four letters short": lambda g, f: f"{g} {f[:-4]}",
    "last name cut with dots": lambda g, f: f"{g} {f[:-3]}...",
    "last name with dots": lambda g, f: f"{g} {f}...",
    "last name and two letters": lambda g, f: f"{g} {f}an",
    "last name's initial": lambda g, f: f"{g} {f[0]}.",
    "last name's initial, no dot": lambda g, f: f"{g} {f[0]}",
    "given name's initial": lambda g, f: f"{g[0]}. {f}",
    "given name cut short": lambda g, f: f"{g[:4]} {f}",
    "last name alone": lambda _, f: f,
    "given name alone": lambda g, _: g,
    "slip in the last name": lambda g, f: f"{g} {_twice(f, 3)}",
    "slip in both": lambda g, f: f"{_twice(g, 2)} {f[:4] + f[5:]}",
    "written together": lambda g, f: f"{g}{f}",
    "spelt with spaces": lambda g, f: f"{_spelt(g, ' ')}  {_spelt(f, ' ')}",
    "spelt with hyphens": lambda g, f: f"{_spelt(g, '-')} {_spelt(f, '-')}",
    "spelt with dots": lambda g, f: f"{_spelt(g, '.')}.{_spelt(f, '.')}.",
    "in pieces": lambda g, f: f"{g[:2]}-{g[2:]} {f[:3]}-{f[3:]}",
    "pieces with spaces": lambda g, f: f"{g[:2]} {g[2:]} {f[:3]} {f[3:]}",
    "radio alphabet": lambda g, f: " ".join(_RADIO[c] for c in (g + f).lower() if c in _RADIO),
    "backwards": lambda g, f: f"{g} {f}"[::-1],
    "accents": lambda g, f: f"{g} {f}".replace("a", "á").replace("o", "ö"),
    "Cyrillic": lambda g, f: cyrillic(f"{g} {f}"),
    "Greek": lambda g, f: greek(f"{g} {f}"),
    "Arabic": lambda g, f: arabic(f"{g} {f}"),
    "Devanagari": lambda g, f: devanagari(f"{g} {f}"),
    "Hangul": lambda g, f: hangul(f"{g} {f}"),
    "kana": lambda g, f: kana(f"{g}・{f}"),
    "Chinese": lambda g, f: chinese(f"{g}·{f}"),
}
