"""Texts under a shifted or mirrored alphabet, or written backwards, made readable.

Part of `guard.screening.views`; each function gives the readable text or None. Judged per segment
(sentence, line, quotation), since the request to decipher is usually in plain words. Sources:
CipherChat 2308.06463, FlipAttack 2410.02832.
"""

import re

from guard.screening.views.plausibility import best_key, english_pairs, function_words

_SEGMENT = re.compile(r'[^\n.!?:;"“”`<>，。：；！？「」]{16,}')
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
# Endings and small words of English backwards; none of them is common in any forward text.
_BACKWARDS = ("eht", "htiw", "siht", "taht", "tahw", "noit", "gni ", " fo ", " ot ", "woh", "uoy")
_WORDS_BACKWARDS = (
    " the of ",
    " the in ",
    " the to ",
    " to how",
    " me tell",
    " me give",
    " the all ",
)
_WORDS_FORWARDS = (" of the ", " in the ", " to the ", " is the ", " for the ", "how to ")
_WORD = re.compile(r"[^\W\d_]+")
# Rot47 turns small letters into these; before them a capital may stand, behind them a full stop.
_ROT47 = re.compile(
    r"""(?<!\S)(?:[p-~!-+]?[2-KV]{1,30}[\]\[nP]?(?:\s{1,2}|(?![^\s.,;!?"')]))){4,}+"""
)
_ROT47_SIGN = re.compile("[2-K]*[2-9:;<=>?@][A-K]")
_TURNED = {code: (code - 33 + 47) % 94 + 33 for code in range(33, 127)}


def decipher(text: str) -> str | None:
    """Undoes rot13, any other shift and Atbash where a segment's letters show one."""
    if not text.isascii() and len(text.encode("ascii", "ignore")) < 16:
        return None
    deciphered = _SEGMENT.sub(_decipher_segment, text)
    return deciphered if deciphered != text else None


def _decipher_segment(match: re.Match[str]) -> str:
    segment = match[0]
    lower = segment.lower()
    if not lower.isascii():
        lower = lower.encode("ascii", "ignore").decode()
    count = lower.count
    common = count("e") + count("t") + count("a") + count("o") + count("i") + count("n")
    # English has about half its letters among these six; a quarter of all characters is low.
    if common * 4 > len(lower) or len(lower) < 16:
        return segment
    key = best_key(lower)
    if key is None:
        return segment
    plain = segment.translate(str.maketrans(_ALPHABET + _ALPHABET.upper(), key + key.upper()))
    return plain if _is_english_either_way(plain, segment) else segment


def _is_english_either_way(plain: str, segment: str) -> bool:
    score = max(english_pairs(plain), english_pairs(plain[::-1]))
    return score > 0.5 and score > english_pairs(segment) + 0.2


def turn_signs(text: str) -> str | None:
    """Undoes rot47, which takes letters to digits and signs."""
    if not _ROT47_SIGN.search(text):
        return None
    turned = _ROT47.sub(_turn_signs, text)
    return turned if turned != text else None


def _turn_signs(match: re.Match[str]) -> str:
    turned = match[0].translate(_TURNED)
    return turned if english_pairs(turned) > 0.5 else match[0]


def reverse(text: str) -> str | None:
    """Text written from right to left, read from the other end."""
    lower = text.lower()
    for sign in _BACKWARDS:
        if sign in lower:
            break
    else:
        return None
    if _is_backwards(text):
        return text[::-1]
    turned = _SEGMENT.sub(lambda m: m[0][::-1] if _is_backwards(m[0]) else m[0], text)
    return turned if turned != text else None


def reverse_within_words(text: str) -> str:
    """Text whose words stand in order, each written backwards."""
    return _WORD.sub(lambda match: match[0][::-1], text)


def reverse_word_order(text: str) -> str | None:
    """Text whose words are whole but stand in reverse order."""
    lower = text.lower()
    for sign in _WORDS_BACKWARDS:
        if sign in lower:
            break
    else:
        return None
    backwards = sum(map(lower.count, _WORDS_BACKWARDS))
    if sum(map(lower.count, _WORDS_FORWARDS)) >= backwards:
        return None
    return " ".join(reversed(text.split()))


def _is_backwards(text: str) -> bool:
    turned = text[::-1]
    if function_words(turned) <= function_words(text):
        return False
    return english_pairs(turned) > english_pairs(text)
