"""Invented names in other scripts, roughly as newspapers write foreign ones: by sound."""

import re
from collections.abc import Callable, Mapping

_CYRILLIC = dict(zip("abcdefghijklmnopqrstuvwxyz", "абкдефгхиййлмнопкрстувуксз", strict=True))
_CYRILLIC |= {"k": "к", "j": "й", "y": "й", "w": "в", "q": "к", "x": "кс"}
_GREEK = dict(zip("abcdefghijklmnopqrstuvwxyz", "αβκδεφγχιζκλμνοπκρστουβουιζ"[:26], strict=True))
_GREEK |= {"b": "μπ", "d": "ντ", "g": "γκ", "u": "ου", "v": "β", "w": "ου", "y": "ι", "z": "ζ"}
_GREEK |= {"t": "τ", "s": "σ", "j": "τζ", "x": "ξ"}
_ARABIC = dict(zip("abcdefghijklmnopqrstuvwxyz", "ابكديفغهيجكلمنوبكرستوفوكيز", strict=True))
_SIGNS = {"a": "ा", "e": "े", "i": "ि", "o": "ो", "u": "ु"}
_VOWELS = {"a": "अ", "e": "ए", "i": "इ", "o": "ओ", "u": "उ"}
_INDIC = {
    **dict(zip("bcdfghjklmnpqrstvwxyz", "बकदफगहजकलमनपकरसतववकयज", strict=True)),
    "th": "थ",
}
_JAMO_FIRST = {
    **dict.fromkeys("gckqx", 0),
    **{"n": 2, "d": 3, "r": 5, "l": 5, "m": 6, "b": 7, "v": 7, "s": 9, "j": 12, "z": 12, "t": 16},
    **{"k": 15, "p": 17, "f": 17, "h": 18},
}
_JAMO_VOWEL = {"a": 0, "e": 5, "o": 8, "u": 13, "": 18, "i": 20, "y": 20, "w": 13}
_KANA = {
    **{
        "": "アエイオウ",
        "k": "カケキコク",
        "s": "サセシソス",
        "t": "タテティトト",
        "n": "ナネニノヌ",
    },
    **{"h": "ハヘヒホフ", "m": "マメミモム", "r": "ラレリロル", "g": "ガゲギゴグ"},
    **{"z": "ザゼジゾズ", "d": "ダデディドド", "b": "バベビボブ", "p": "パペピポプ"},
}
_KANA_BASE = {**dict.fromkeys("cq", "k"), "l": "r", "v": "b", "f": "h", "j": "z", "x": "k"}
_CHINESE = {
    **{
        "": "阿埃伊奥乌",
        "b": "巴贝比博布",
        "p": "帕佩皮波普",
        "d": "达德迪多杜",
        "t": "塔泰蒂托图",
    },
    **{
        "k": "卡凯基科库",
        "g": "加盖吉戈古",
        "f": "法费菲福弗",
        "m": "马梅米莫穆",
        "n": "纳内尼诺努",
    },
    **{
        "l": "拉莱利洛卢",
        "r": "拉雷里罗鲁",
        "s": "萨塞西索苏",
        "z": "扎泽齐佐祖",
        "h": "哈赫希霍胡",
    },
    **{"v": "瓦维维沃武", "j": "贾杰吉乔朱", "w": "瓦韦维沃武"},
}
_ALONE = {"b": "布", "p": "普", "d": "德", "t": "特", "k": "克", "g": "格", "f": "夫", "m": "姆"}
_ALONE |= {"n": "恩", "l": "尔", "r": "尔", "s": "斯", "z": "兹", "h": "赫", "v": "夫", "j": "吉"}
_ORDER = "aeiou"
_SYLLABLE = re.compile(r"([bcdfghjklmnpqrstvwxz]?)([aeiouy]?)", re.IGNORECASE)


def cyrillic(name: str) -> str:
    """'Varnholt' as 'варнхолт'."""
    return _by_letter(name, _CYRILLIC)


def greek(name: str) -> str:
    """With mp, nt and gk for b, d and g."""
    return _by_letter(name, _GREEK)


def arabic(name: str) -> str:
    """Long vowels written, short e not."""
    return _by_letter(name.replace("e", ""), _ARABIC)


def devanagari(name: str) -> str:
    """Consonants without a vowel have the sign that says so."""

    def write(consonant: str, vowel: str) -> str:
        if not consonant:
            return _VOWELS.get(vowel, "")
        return _INDIC[consonant] + _SIGNS.get(vowel, "" if vowel else "्")

    return _by_syllable(name, write)


def hangul(name: str) -> str:
    """A syllable for every consonant."""

    def write(consonant: str, vowel: str) -> str:
        first = _JAMO_FIRST.get(consonant, 11)
        return chr(0xAC00 + (first * 21 + _JAMO_VOWEL.get(vowel, 18)) * 28)

    return _by_syllable(name, write)


def kana(name: str) -> str:
    """Katakana; a consonant alone takes u, or o behind t and d."""

    def write(consonant: str, vowel: str) -> str:
        row: str = _KANA[_KANA_BASE.get(consonant, consonant if consonant != "w" else "")]
        if consonant == "n" and not vowel:
            return "ン"
        # ti and di are two signs
        signs: list[str] = [*row[:2], row[2:4], *row[4:]] if len(row) > len(_ORDER) else [*row]
        return signs[_ORDER.index(vowel) if vowel in tuple(_ORDER) else 4]

    return _by_syllable(name, write)


def chinese(name: str) -> str:
    """The characters of the news agencies' tables, or near ones."""

    def write(consonant: str, vowel: str) -> str:
        consonant = {"c": "k", "q": "k", "x": "k"}.get(consonant, consonant)
        if vowel not in tuple(_ORDER):
            return _ALONE.get(consonant, "伊")
        return _CHINESE[consonant][_ORDER.index(vowel)]

    return _by_syllable(name, write)


def _by_letter(name: str, letters: Mapping[str, str]) -> str:
    return "".join(letters.get(letter, letter) for letter in name.lower())


def _by_syllable(name: str, write: Callable[[str, str], str]) -> str:
    parts = re.split(r"([^a-z]+)", name.lower())
    return "".join(_word(part, write) if part.isalpha() else part for part in parts)


def _word(word: str, write: Callable[[str, str], str]) -> str:
    return "".join(write(*match.groups()) for match in _SYLLABLE.finditer(word) if match[0])
