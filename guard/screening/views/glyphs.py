"""Disguises in Unicode: invisible characters, hidden payloads, look-alike and decorated letters.

Part of `guard.screening.views`. Each function gives the undisguised text, or None when the text
shows no such disguise: other scripts, accents, emoji and full-width punctuation are ordinary.
Sources: UTS #39 (confusables), Hackett et al. 2504.11168 (character injection), Butler 2025
(bytes in variation selectors).
"""

import re
import unicodedata

from guard.screening.views.lookalikes import TO_LATIN, TO_UPRIGHT
from guard.screening.views.plausibility import is_english

# Default-ignorable and format characters (Unicode 15): nothing to see, yet the model reads them.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# Marks that natural languages put on Latin letters; others on an ASCII letter are decoration.
_ODD_MARK = "\u0305\u030d-\u031a\u031c-\u0322\u0329-\u0330\u0332-\u036f\u1ab0-\u1aff\u20d0-\u20ff"
# Letters that NFKC turns into Latin ones: full-width, circled, mathematical, squared.
_STYLED = (
    "\uff21-\uff3a\uff41-\uff5a\u249c-\u24e9\U0001d400-\U0001d7cb\U0001f110-\U0001f149"
    "\U0001f150-\U0001f169\U0001f170-\U0001f189"
)
_RAISED = "\u02b0-\u02b8\u1d2c-\u1d6a\u1d78-\u1dbf\u2071\u207f\u2090-\u209c\U0001f1e6-\U0001f1ff"
# Planes above the first are named as ranges: a class of many single letters there is slow.
_OLD_SCRIPTS = "\U00010280-\U00010cff\U000114d0-\U000114df\U000118a0-\U000118ff"
_LATIN_LIKE = [c for c in map(chr, TO_LATIN) if c < "\U00010000" and c not in "øØłđıß"]
_ALIKE = "".join(_LATIN_LIKE) + _OLD_SCRIPTS
_RARE = "".join(c for c in _LATIN_LIKE if c > "\u024f" and not "\u0370" <= c <= "\u058f")
_RARE += _OLD_SCRIPTS

# Each pattern starts with its rare class, so that the search skips ordinary text quickly.
_STRIPPED = re.compile(f"[{_INVISIBLE}{_CONTROL}]")
_SUSPECT = re.compile(f"[{_INVISIBLE}{_CONTROL}{_MARK}{_STYLED}{_RAISED}{_ALIKE}]")
_SPLIT_WORD = re.compile(
    f"[{_INVISIBLE}](?<=[A-Za-z0-9][{_INVISIBLE}])[{_INVISIBLE}]*+(?=[A-Za-z0-9])"
)
_OVERRIDE = re.compile("\u202e([^\u202c\u202e]*)[\u202c\u202e]?")
_MARKS = re.compile(f"[{_MARK}]")
_DECORATED = re.compile(
    f"[{_MARK}](?:[{_MARK}]{{2}}|(?<=[A-Za-z][{_ODD_MARK}])|(?:[A-Za-z][{_MARK}]){{2}})"
)
_ACCENTED = re.compile("[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]")
_STYLED_WORD = re.compile(
    f"[{_STYLED}](?:(?<=[A-Za-z][{_STYLED}])|(?=[A-Za-z])|(?:[^\\w]{{0,3}}[{_STYLED}]){{3}})"
)
_RAISED_WORD = re.compile(f"[{_RAISED}](?:[^\\w]{{0,2}}[{_RAISED}]){{3}}")
_MIXED_WORD = re.compile(f"[{_ALIKE}](?:(?<=[A-Za-z]{{2}}[{_ALIKE}])|(?=[A-Za-z]{{2}}))")
_RARE_WORD = re.compile(f"[{_RARE}]{{3}}")
_CYRILLIC_OR_GREEK = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_FLIPPED = re.compile("[ɐɔǝɟƃɓɥᴉɾʞןɯɹʇʌʍʎ]")
_CARRIER = re.compile("[\U000e0000-\U000e01ef]")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_TAG = re.compile("[\U000e0020-\U000e007e]")
_SELECTOR = re.compile("[\U000e0100-\U000e01ef\ufe00-\ufe0f]")
_SIGNS = (
    _SPLIT_WORD,
    _STYLED_WORD,
    _RAISED_WORD,
    _MIXED_WORD,
    _RARE_WORD,
    _DECORATED,
    _OVERRIDE,
    _TAG,
)


def hidden_payload(text: str) -> str | None:
    """The text written in tag characters, or as bytes in variation selectors, alone."""
    if text.isascii() or not _CARRIER.search(text):
        return None
    tags = "".join(_TAG.findall(_FLAG.sub("", text)))
    shown = "".join(chr(ord(tag) - 0xE0000) for tag in tags)
    smuggled = bytes(map(_selector_byte, _SELECTOR.findall(text))).decode("utf-8", "ignore")
    payload = "".join(c for c in shown + smuggled if c.isprintable() or c == "\n").strip()
    return payload if len(payload) >= 3 else None


def _selector_byte(selector: str) -> int:
    code = ord(selector)
    return code - 0xFE00 if code < 0xE0000 else code - 0xE0100 + 16


def fold(text: str) -> str | None:
    """Latin letters for whatever looks like them; invisible characters and decoration gone."""
    if text.isascii():
        return _without_controls(text)
    if not _is_disguised(text):
        return None
    text = _OVERRIDE.sub(lambda match: match[1][::-1], text)
    text = _TAG.sub(lambda match: chr(ord(match[0]) - 0xE0000), _FLAG.sub("", text))
    text = unicodedata.normalize("NFKD", _STRIPPED.sub("", text))
    text = _MARKS.sub("", text).translate(TO_LATIN)
    return unicodedata.normalize("NFKC", text)


def upright(text: str) -> str | None:
    """Text written upside down, turned back."""
    if text.isascii() or len(_FLIPPED.findall(text)) < 4:
        return None
    return text.translate(TO_UPRIGHT)[::-1]


def _without_controls(text: str) -> str | None:
    if text.isprintable():
        return None
    stripped = _STRIPPED.sub("", text)
    return stripped if stripped != text else None


def _is_disguised(text: str) -> bool:
    if _is_accented_english(text):
        return True
    if not _SUSPECT.search(text):
        return False
    text = _FLAG.sub("", text)
    return (
        any(pattern.search(text) for pattern in _SIGNS)
        or _is_scattered(text)
        or _is_borrowed_alphabet(text)
    )


def _is_scattered(text: str) -> bool:
    """Invisible characters all over; a few belong to emoji and to Persian and Indic writing."""
    found = len(_STRIPPED.findall(text))
    return found >= 4 and found * 8 > len(text)


def _is_accented_english(text: str) -> bool:
    """Accents on more letters than any language but Vietnamese, over English function words."""
    # Composed first: an accent may follow its letter as a character of its own.
    composed = unicodedata.normalize("NFC", text)
    accented = len(_ACCENTED.findall(composed))
    if accented < 4 or accented * 10 < len(composed):
        return False
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(TO_LATIN)
    return is_english(bare)


def _is_borrowed_alphabet(text: str) -> bool:
    """Four or more Cyrillic or Greek letters, every one of which looks Latin."""
    letters = _CYRILLIC_OR_GREEK.findall(text)
    return len(letters) >= 4 and all(ord(letter) in TO_LATIN for letter in letters)
