"""Signs for letters, one by one: Morse in any dots and dashes, braille, the radio alphabet.

Part of `guard.screening.views`; runs that spell no English stay as they are.
"""

import re
import string

from guard.detectors.names.spelt_out import RADIO_ALPHABET
from guard.screening.views.plausibility import english_pairs
from guard.screening.views.readable import in_words
from guard.screening.views.vocabulary import likelihood, run_together

_DOTS = (
    ".\u00b7\u02d9\u2022\u2219\u22c5\u2024\u2027\u30fb\uff65"
    "\u25aa\u25cb\u25cf\u25e6\u26aa\u26ab\u2b24"
)
_DASHES = "\\-_\u2010-\u2015\u2212\u2500\u25ac\u2796\u30fc\uff0d\u2501\u23af\u02c9"
_ANY = f"[{_DOTS}{_DASHES}]"
_MORSE = re.compile(f"(?<!{_ANY}){_ANY}{{1,5}}(?:[ /|\n]{{1,5}}{_ANY}{{1,6}}(?!{_ANY})){{6,}}+")
_DOT_OR_DASH = re.compile(f"(?P<dot>[{_DOTS}])|[{_DASHES}]")
_BEGINNING = re.compile(f"{_ANY}[ /|{_DOTS}{_DASHES}]{{3}}")
_WORD_GAP = re.compile(r"\s*[/|\n]\s*|\s{2,}")
_MORSE_CODES = """
.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..-
-.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.
"""
_MORSE_LETTERS = dict(
    zip(_MORSE_CODES.split(), string.ascii_lowercase + string.digits, strict=True)
)
_BRAILLE_LETTERS = dict(
    zip(
        "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵⠀⠲⠂⠦⠖⠄⠤",
        string.ascii_lowercase + " .,?!'-",
        strict=True,
    )
)
_BRAILLE = re.compile("[\u2800-\u28ff](?:\\s{0,2}[\u2800-\u28ff]){3,}+")
_WORDS = "|".join(sorted((*RADIO_ALPHABET, "x-ray"), key=len, reverse=True))
_SPOKEN = re.compile(rf"\b(?:{_WORDS})(?:[\s,./|-]{{1,4}}(?:{_WORDS})){{3,}}+\b", re.IGNORECASE)
_SPOKEN_WORD = re.compile(_WORDS, re.IGNORECASE)
_COMMON = ("oscar", "echo", "tango", "sierra", "india", "november", "romeo", "alpha", "alfa")


def read_signals(text: str) -> str:
    """The text with letters for the signs that spell some."""
    plain = text
    if _BEGINNING.search(plain):
        plain = _MORSE.sub(lambda match: _from_morse(match[0]) or match[0], plain)
    if not plain.isascii():
        plain = _BRAILLE.sub(lambda match: _from_braille(match[0]) or match[0], plain)
    lower = plain.lower()
    if sum(word in lower for word in _COMMON) >= 2:
        plain = _SPOKEN.sub(lambda match: _from_words(match[0]) or match[0], plain)
    return plain


def _from_morse(run: str) -> str | None:
    usual = _DOT_OR_DASH.sub(lambda match: "." if match["dot"] else "-", run)
    coded = _WORD_GAP.split(usual)
    words = [_letters(word) for word in coded]
    # Rules and bullet lists repeat one or two signs.
    if len(set("".join(words))) < 6:
        return None
    last = coded[-1]
    if last.endswith(".") and len(last) > 1:
        stopped = _letters(last[:-1])
        if likelihood(stopped) > likelihood(words[-1]):
            return " ".join([*words[:-1], stopped]) + "."
    return " ".join(words)


def _letters(codes: str) -> str:
    return "".join(_MORSE_LETTERS.get(code, "") for code in codes.split())


def _from_braille(run: str) -> str | None:
    """Grade 1, without its signs for capitals and numbers. Progress bars spell nothing."""
    found = "".join(c if c.isspace() else _BRAILLE_LETTERS.get(c, "") for c in run)
    return found if english_pairs(found) >= 0.4 else None


def _from_words(run: str) -> str | None:
    """The first letters of the radio alphabet's words; the rarer separator parts words."""
    words = _SPOKEN_WORD.findall(run)
    found = in_words([word[0].lower() for word in words], _SPOKEN_WORD.split(run)[1:-1])
    if english_pairs(found) < 0.3:
        return None
    return found if " " in found else run_together(found) or found
