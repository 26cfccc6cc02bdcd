"""The same questions about somebody or something else: the hardest negatives there are."""

import re
from collections.abc import Sequence

import numpy as np

from classifiers.prompts.files import Prompt, drawn_for

_FIRST_NAMES = (
    *("Anna", "Ben", "Carla", "David", "Elena", "Felix", "Grace", "Hugo", "Ines", "Jonas"),
    *("Karin", "Leo", "Maria", "Nils", "Olga", "Paul", "Rosa", "Samir", "Tara", "Viktor"),
    *("Wei", "Yusuf", "Zoe", "Amara", "Bjorn", "Chloe", "Dmitri", "Esra", "Farid", "Gita"),
)
_LAST_NAMES = (
    *("Adams", "Berg", "Costa", "Dietrich", "Evans", "Fischer", "Garcia", "Haas", "Ivanov"),
    *("Jensen", "Khan", "Lindqvist", "Moreau", "Nakamura", "Okafor", "Petrov", "Quinn"),
    *("Rossi", "Schmidt", "Tanaka", "Usman", "Vargas", "Weber", "Young"),
)
_PLACES = (
    *("Lisbon", "Oslo", "Porto", "Lagos", "Quito", "Hanoi", "Perth", "Turin", "Gdansk", "Izmir"),
    *("Osaka", "Leeds", "Lyon", "Cusco", "Accra", "Dhaka", "Ghent", "Bergen", "Riga", "Malmo"),
    *("Peru", "Norway", "Ghana", "Chile", "Nepal", "Kenya", "Austria", "Malaysia", "Iceland"),
)
_SYLLABLES = (
    *("ba", "bren", "cor", "dal", "eld", "fa", "gren", "hal", "il", "jor", "ka", "len"),
    *("mar", "nor", "ol", "per", "quil", "ras", "sen", "tor", "ul", "ver", "wen", "yor"),
    *("zan", "lia", "rik", "sta", "mon", "dre"),
)
# Not at the beginning of a sentence, where every word has a capital; runs count as one.
_DETAIL = re.compile(
    r"(?<=[\w,;:'\"”] )[^\W\d_a-z][\w'’-]*(?:,? (?:of |the |de )?[^\W\d_a-z][\w'’-]*)*|\d+"
)


def swap_names(
    prompts: Sequence[Prompt], names: Sequence[str], copies: int, seed: int
) -> list[Prompt]:
    """The same questions about somebody else: each name replaced by a stranger's.

    Prompts without a name give none.
    """
    pattern = name_pattern(names)
    found = []
    for prompt in prompts:
        rng = drawn_for(prompt.text, seed, 1)
        parts = pattern.split(prompt.text)
        for _ in range(copies if len(parts) > 1 else 0):
            found.append(Prompt(stranger(names, rng).join(parts), prompt.group))
    return found


def name_pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Finds each of the names in any case, the longest there is; nothing without names."""
    by_length = sorted(names, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, by_length)) or r"(?!)", re.IGNORECASE)


def swap_details(prompts: Sequence[Prompt], copies: int, seed: int) -> list[Prompt]:
    """The same questions with other places, titles and figures: each capitalised run or number
    inside a sentence replaced. Prompts without any give none."""
    found = []
    for prompt in prompts:
        rng = drawn_for(prompt.text, seed, 2)
        for _ in range(copies):
            swapped = _DETAIL.sub(lambda match: _another(match[0], rng), prompt.text)  # noqa: B023
            if swapped != prompt.text:
                found.append(Prompt(swapped, prompt.group))
    return found


def _another(detail: str, rng: np.random.Generator) -> str:
    if detail.isdigit():
        if len(detail) == 4:
            return str(int(rng.integers(1700, 2020)))
        return str(int(rng.integers(1, 10 ** len(detail)))).zfill(len(detail))
    return ", ".join(_pick(_PLACES, rng) for _ in range(detail.count(",") + 1))


def stranger(names: Sequence[str], rng: np.random.Generator) -> str:
    """A name that is none of `names`: invented, shared in part, or made of their syllables.

    Of two words, each is a common name, a coined one, or one blended from two words of `names`;
    in a third of them one of the two is a word of `names` itself.
    """
    words = [word for name in names for word in name.split() if len(word) > 3]
    first, last = _invent(_FIRST_NAMES, words, rng), _invent(_LAST_NAMES, words, rng)
    if words and rng.random() < 1 / 3:
        first, last = (
            (_pick(words, rng), last) if rng.random() < 0.5 else (first, _pick(words, rng))
        )
    name = f"{first} {last}"
    return name if name not in names else stranger(names, rng)


def _invent(common: Sequence[str], words: Sequence[str], rng: np.random.Generator) -> str:
    kind = rng.random()
    if words and kind < 0.4:
        return _blend(_pick(words, rng), _pick(words, rng), rng)
    return _coin(rng) if kind < 0.75 else _pick(common, rng)


def _blend(left: str, right: str, rng: np.random.Generator) -> str:
    """The beginning of one word with a coined syllable or the end of another."""
    head = left[: int(rng.integers(2, 4))]
    if rng.random() < 0.5:
        head = _pick(_SYLLABLES, rng)
    return (
        head + _pick(_SYLLABLES, rng) * int(rng.integers(2)) + right[-int(rng.integers(2, 5)) :]
    ).capitalize()


def _coin(rng: np.random.Generator) -> str:
    return "".join(_pick(_SYLLABLES, rng) for _ in range(rng.integers(2, 4))).capitalize()


def _pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
