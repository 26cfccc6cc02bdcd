"""A light guess at a prompt's language, by script and by frequent words; for rates per language.

No model and no dependency: a script other than Latin names its language (kana before Han, as
Japanese has both); of Latin texts, the language most of whose stop words occur, else English. Meant
for tables of rates, not for decisions: short Latin texts without a stop word count as English.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

FEWEST_STOP_WORDS = 2
"""Stop words of a language that a Latin text must hold to count as it instead of English."""
LONGEST = 2000

SCRIPTS: Mapping[str, str] = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "TELUGU": "te",
    "TAMIL": "ta",
    "THAI": "th",
    "GREEK": "el",
}
_WORDS: Mapping[str, str] = {
    "en": "the a an of to and is are in that it you for with on this be what how do i not can my",
    "de": "der die das und ist ein eine zu den nicht ich du wie mit auf für von dem sich wenn auch",
    "es": "el los las y es un una de que en por para con cómo como no se lo mi su al del qué más",
    "fr": "le les et est un une des que dans pour avec je comment ne pas sur au du ce qui mon vous",
    "it": "il lo gli e è un una di che in per con come non si mi del della sono più questo alla",
    "pt": "o os as e é um uma de que em para com como não se do da no na mais seu por você são",
    "nl": "de het een en is van ik je niet op te dat voor met hoe zijn aan wat er deze ook naar",
    "sw": "ya na wa kwa ni katika za la cha kuwa hii yake kama ana alikuwa kila ngapi siku",
    "vi": "là của và có không được cho một các những để trong với người này như làm thế nào khi",
}
STOP_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split()) for language, words in _WORDS.items()
}


def guess_language(text: str) -> str:
    """A two-letter code; "other" for scripts not named here, "en" for texts without letters."""
    letters = [c for c in text[:LONGEST] if c.isalpha()]
    if not letters:
        return "en"
    scripts = Counter(unicodedata.name(letter, "").split(" ", 1)[0] for letter in letters)
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * len(letters):
        return "ja"
    script, count = scripts.most_common(1)[0]
    if script == "LATIN" and scripts["CJK"] + scripts["HANGUL"] > count / 4:
        # A word of a dense script has few letters: names in Latin script soon outnumber them.
        script = "CJK" if scripts["CJK"] >= scripts["HANGUL"] else "HANGUL"
    return _by_stop_words(text) if script == "LATIN" else SCRIPTS.get(script, "other")


def _by_stop_words(text: str) -> str:
    words = set(re.findall(r"[^\W\d_]+", text[:LONGEST].casefold()))
    hits = {language: len(words & stop) for language, stop in STOP_WORDS.items()}
    best = max(hits, key=lambda language: (hits[language], language == "en"))
    return best if hits[best] >= FEWEST_STOP_WORDS else "en"
