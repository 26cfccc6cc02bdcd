"""Words pulled apart, written with digits for letters, or in jumping case, spelt normally.

Part of `guard.screening.views`; each function gives the respelt text or None.
"""

import re
from collections import Counter

from guard.screening.views.plausibility import english_pairs, function_words
from guard.screening.views.vocabulary import is_word, likelihood, run_together

# Not every non-letter: vowel signs of Indic scripts and Thai stand between letters by nature.
_BETWEEN = r" \t\n\r\xa0\u2000-\u200a\u3000.,\-_*|/\\·•~+=:;'"
_SINGLES = re.compile(
    f"[{_BETWEEN}][^{_BETWEEN}](?:[{_BETWEEN}]{{1,4}}[^{_BETWEEN}]){{2}}[{_BETWEEN}]"
)
_APART = re.compile(f"(?<![^\\W_])[^\\W_](?:[{_BETWEEN}]{{1,4}}[^\\W_](?![^\\W_])){{4,}}+")
_GAP = re.compile(f"[{_BETWEEN}]+")
_LEET = str.maketrans("013456789@$!+", "oieasgtbgasit")
_LONGEST_LEET = 20
_LEET_SEED = re.compile(r"[01345789@$!](?<=[A-Za-z].)[01345789@$!]?[A-Za-z]")
_LEET_TOKEN = re.compile(r"(?<![\w@$.])[\w@$!+]++(?![@.]\w)")
_ANY_TOKEN = re.compile(r"[\w@$!+]+")
_ORDINARY = re.compile(
    r"[\d.]+[A-Za-z]{0,3}|[A-Za-z]+[\d!+]*|\w*_\w*|\w{4,}@\w+|[@$]\w+|\W+", re.ASCII
)
_LEET_SIGNS = re.compile(r"[013457@$]")
_JUMP = re.compile("[A-Z](?<=[a-z][A-Z])")
_HUMPED = re.compile("(?<![A-Za-z])[A-Za-z][a-z]{0,30}(?:[A-Z][a-z]{0,30}){3,}+")
_HUMP = re.compile("[A-Z]?[a-z]+|[A-Z]")
_LONG = re.compile("(?<![A-Za-z])[A-Za-z]{12,400}+(?![A-Za-z])")
_LATIN_WORD = re.compile("[A-Za-z]{3,24}")
_ENDS_IN_AY = re.compile("[A-Za-z]ay\\b", re.IGNORECASE)
_VOWELS = frozenset("aeiou")


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
    if not _LEET_SEED.search(text):
        return None
    # Keys and digests are longer than words.
    short = (token for token in _ANY_TOKEN.findall(text) if len(token) <= _LONGEST_LEET)
    seeds = [seed for token in short for seed in _LEET_SEED.findall(token)]
    if not seeds:
        return None
    spelt, changed = _unleet_tokens(text, len(seeds) >= 4)
    if len(seeds) < 4 and sum(map(is_word, map(str.lower, changed))) >= 3:
        spelt, changed = _unleet_tokens(text, all_of_it=True)
    pairs = english_pairs(" ".join(changed))
    real = sum(map(is_word, map(str.lower, changed)))
    # Random keys have digits among letters too; what they spell is seldom a word.
    return spelt if pairs >= 0.65 or (pairs >= 0.45 and real * 4 >= len(changed)) else None


def _unleet_tokens(text: str, all_of_it: bool) -> tuple[str, list[str]]:
    """The text respelt, and the words that this changed."""
    changed: list[str] = []
    tokens = _ANY_TOKEN if all_of_it else _LEET_TOKEN
    return tokens.sub(lambda match: _unleet_token(match[0], all_of_it, changed), text), changed


def _unleet_token(token: str, all_of_it: bool, changed: list[str]) -> str:
    if len(token) > _LONGEST_LEET or not _LEET_SIGNS.search(token):
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


def part_words(text: str) -> str | None:
    """Spaces between words that were run together, with a capital each or without."""
    parted = _HUMPED.sub(_part_humps, text)
    parted = _LONG.sub(_part_run, parted)
    return parted if parted != text else None


def _part_run(match: re.Match[str]) -> str:
    run = match[0]
    is_one_case = run[1:].islower() or run.isupper()
    if not is_one_case or is_word(run.lower()) or english_pairs(run) < 0.5:
        return run
    return run_together(run) or run


def _part_humps(match: re.Match[str]) -> str:
    words = " ".join(_HUMP.findall(match[0]))
    return words if function_words(words) >= 2 else match[0]


def unlatin(text: str) -> str | None:
    """Pig latin: the consonants that a word began with moved to its end, and "ay" behind them."""
    ends = len(_ENDS_IN_AY.findall(text))
    if ends < 4:
        return None
    words = _LATIN_WORD.findall(text)
    latin = [word for word in words if word.lower().endswith("ay")]
    turned = {word: _unlatin_word(word) for word in latin}
    real = sum(is_word(turned[word]) for word in latin)
    if real * 3 < len(latin) * 2 or ends * 4 < len(words):
        return None
    return _LATIN_WORD.sub(lambda match: turned.get(match[0], match[0]), text)


def _unlatin_word(word: str) -> str:
    """The likeliest word that this one may have been, in lower case."""
    bare = word[:-2].lower()
    found = [bare]
    if bare[-1:] in ("w", "y"):
        found.append(bare[:-1])
    for length in range(1, 5):
        onset = bare[-length:]
        if len(bare) > length and bare[0] in _VOWELS and not _VOWELS & set(onset):
            found.append(onset + bare[:-length])
    return max(found, key=likelihood)
