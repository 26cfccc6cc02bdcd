"""Words pulled apart, written with digits for letters, or in jumping case, spelt normally.

Part of `guard.screening.views`; each function gives the respelt text or None.
"""

import re
from collections import Counter

from guard.screening.views.plausibility import english_pairs

# Not every non-letter: vowel signs of Indic scripts and Thai stand between letters by nature.
_BETWEEN = r" \t\n\r\xa0\u2000-\u200a\u3000.,\-_*|/\\·•~+=:;'"
_SINGLES = re.compile(
    f"[{_BETWEEN}][^{_BETWEEN}](?:[{_BETWEEN}]{{1,4}}[^{_BETWEEN}]){{2}}[{_BETWEEN}]"
)
_APART = re.compile(f"(?<![^\\W_])[^\\W_](?:[{_BETWEEN}]{{1,4}}[^\\W_](?![^\\W_])){{4,}}+")
_GAP = re.compile(f"[{_BETWEEN}]+")
_LEET = str.maketrans("013456789@$!+", "oieasgtbgasit")
_LEET_SEED = re.compile(r"[01345789@$!](?<=[A-Za-z].)[01345789@$!]?[A-Za-z]")
_LEET_TOKEN = re.compile(r"(?<![\w@$.])[\w@$!+]++(?![@.]\w)")
_ANY_TOKEN = re.compile(r"[\w@$!+]+")
_ORDINARY = re.compile(
    r"[\d.]+[A-Za-z]{0,3}|[A-Za-z]+[\d!+]*|\w*_\w*|\w{4,}@\w+|[@$]\w+|\W+", re.ASCII
)
_LEET_SIGNS = re.compile(r"[013457@$]")
_JUMP = re.compile("[A-Z](?<=[a-z][A-Z])")


def join_letters(text: str) -> str | None:
    """Letters with spaces, dots, dashes or line breaks between them, joined to words."""
    if not _SINGLES.search(text):
        return None
    joined = _APART.sub(_join, text)
    return joined if joined != text else None


def _join(match: re.Match[str]) -> str:
    run = match[0]
    gaps = Counter(_GAP.findall(run))
    usual = gaps.most_common(1)[0][0]
    word = _GAP.sub(lambda gap: "" if gap[0] == usual else " ", run)
    letters = sum(map(str.isalpha, word))
    # Lists of options, initials and digits stand apart by themselves; none is long and has letters.
    if len(word) >= 24:
        return word if letters * 8 >= len(word) else run
    if letters * 2 < len(word) or (word.isascii() and english_pairs(word) < 0.3):
        return run
    return word


def unleet(text: str) -> str | None:
    """Letters for the digits and signs that stand for them inside words.

    One such word is respelt alone; where there are several, so is everything else in the text,
    since whoever writes `7h3` also writes `70` for "to".
    """
    seeds = _LEET_SEED.findall(text)
    if not seeds:
        return None
    changed: list[str] = []
    tokens = _LEET_TOKEN if len(seeds) < 4 else _ANY_TOKEN
    spelt = tokens.sub(lambda match: _unleet_token(match[0], len(seeds) >= 4, changed), text)
    if not changed or english_pairs(" ".join(changed)) < 0.45:
        return None
    return spelt


def _unleet_token(token: str, all_of_it: bool, changed: list[str]) -> str:
    if len(token) > 20 or not _LEET_SIGNS.search(token):
        return token
    if not all_of_it and _ORDINARY.fullmatch(token):
        return token
    bare = token.rstrip("!+")
    word = bare.translate(_LEET)
    changed.append(word)
    return word + token[len(bare) :]


def settle_case(text: str) -> str | None:
    """Lower case for tExT wHoSe CaSe JuMpS inside words far more often than in names or code."""
    jumps = len(_JUMP.findall(text))
    return text.lower() if jumps >= 6 and jumps * 7 > len(text) else None
