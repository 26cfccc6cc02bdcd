"""Words with marks inside: tags, emphasis, control tokens, emoji, signs. One step of the views.

Part of `guard.screening.views`. What no reader sees (tags, comments, tokens of chat templates) and
pictures go wherever they stand between letters. Signs that writing has inside words (hyphens,
dots, stars) go only where the pieces are no words and together are one.
"""

import re
from functools import lru_cache

from guard.screening.views.vocabulary import CERTAIN, SURE, is_word, mend

# Tokens that steer some model, written into a text to keep its words apart; also as the guard
# writes them where it has made text of them (`guard.rendering.control_tokens`).
_NAMED = (
    "pad|unk|mask|bos|eos|cls|sep|sop|eop|eot|eom|s|think|tool_call|tool_response|tool_calls|image"
    r"|(?:start|end)_of_(?:turn|image|role|text)|im_(?:start|end)|extra_id_\d+|unused\d+"
    r"|reserved_\w{1,20}|0x[0-9A-F]{2}"
)
_CONTROL_TOKEN = re.compile(
    rf"< ?\|[^|<>\s]{{1,40}}\|>|< ?｜[^｜<>\s]{{1,40}}｜>|< ?/?(?:{_NAMED})>|<</?SYS>>"
    r"|\[ ?/?(?:PAD|UNK|CLS|SEP|MASK|BOS|EOS|g?MASK|INST)\]"
    r"|\[ ?/?(?:TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\]",
)
_TAG = r"<(?:/?[A-Za-z][^<>]{0,300}|!--[^<>]{0,300}--)>"
_LETTER = r"[^\W\d_]"
_EMOJI = (
    "[\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\U0001f000-\U0001f0ff\U0001f200-\U0001faff]"
    "[\ufe0e\ufe0f\u200d\u20e3]{0,2}"
)
_UNSEEN = re.compile(
    f"(?<!{_LETTER}){_LETTER}++(?:(?:(?:{_TAG}){{1,6}}|(?:{_EMOJI}){{1,6}}){_LETTER}++)+",
)
_UNSEEN_MARK = re.compile(f"(?:{_TAG})+|(?:{_EMOJI})+")
# Tags that end a line, a cell or a paragraph: what stands around them is no one word.
_ENDING = re.compile("</?(?:br|p|div|t[dhr]|li|[ou]l|h[1-6r]|summary|option|d[dt])[\\s/>]", re.I)
_SIGN = r"[-.*_~`|\\/+^#:•·¦¬°§→()\[\]{}\"!$%@?]"
_SIGNED = re.compile(f"(?<![A-Za-z])[A-Za-z]++(?:{_SIGN}{{1,2}}[A-Za-z]++)+")
_SIGNS = re.compile(f"{_SIGN}+")
_SIGN_INSIDE = re.compile(f"{_SIGN}(?<=[A-Za-z].){_SIGN}?[A-Za-z]")
_MOST_PIECES = 60
# What never stands between letters, and a text where other words are cut, need less proof.
_LIKELY = 1.0
_SEVERAL = 3


def strip(text: str) -> str | None:
    """The text without the marks that keep the letters of words apart."""
    plain = text
    if "<" in plain or "[" in plain:
        plain = _without_control_tokens(plain)
    if _UNSEEN_MARK.search(plain):
        plain = _UNSEEN.sub(_without_unseen, plain)
    if _SIGN_INSIDE.search(plain):
        plain = _without_signs(plain)
    return plain if plain != text else None


def _without_control_tokens(text: str) -> str:
    """The text with nothing in their place, and where that glues words, with spaces as well."""
    glued = _CONTROL_TOKEN.sub("", text)
    spaced = _CONTROL_TOKEN.sub(" ", text)
    return glued if glued.split() == spaced.split() else f"{glued}\n{spaced}"


def _without_unseen(match: re.Match[str]) -> str:
    pieces = tuple(_UNSEEN_MARK.split(match[0]))
    mended = _mended(pieces, _LIKELY)
    if mended is not None:
        return mended
    marks = set(_UNSEEN_MARK.findall(match[0]))
    ends = _ENDING.search(match[0])
    if all(map(is_word, map(str.lower, pieces))):
        are_apart = len(pieces) > _SEVERAL and (len(marks) == 1 or not ends)
        return " ".join(pieces) if are_apart else match[0]
    return match[0] if ends else "".join(pieces)


def _without_signs(text: str) -> str:
    """Cut words mended: a lone one where there is no doubt, of several the likely ones as well."""
    words = _mend_all(text, SURE)[1]
    if not words:
        return text
    return _mend_all(text, _LIKELY if len(words) >= _SEVERAL else CERTAIN)[0]


def _mend_all(text: str, gain: float) -> tuple[str, set[str]]:
    """The text, and the words that were mended."""
    words: set[str] = set()

    def mended(match: re.Match[str]) -> str:
        found = _mended(tuple(_SIGNS.split(match[0])), gain)
        if found is not None:
            words.add(found.lower())
        return found or match[0]

    return _SIGNED.sub(mended, text), words


@lru_cache(maxsize=4096)
def _mended(pieces: tuple[str, ...], gain: float) -> str | None:
    """The pieces as words, a run of them after the other; None where none was cut."""
    if not _may_be_cut(pieces):
        return None
    return mend(pieces, gain)


def _may_be_cut(pieces: tuple[str, ...]) -> bool:
    """Whether some neighbours are a known word together, and not each a word: a quick look."""
    for start in range(min(len(pieces), _MOST_PIECES)):
        joined = pieces[start].lower()
        for piece in pieces[start + 1 : start + 12]:
            joined += piece.lower()
            if len(joined) > 20:
                break
            if len(joined) >= 4 and is_word(joined):
                return True
    return False
