"""Encoders for the disguises that `guard.screening.views` takes off, by family.

For obfuscation drills: the same prompt disguised must be found as often, and a harmless one
disguised must not be found more often. The tests of views wrap a canary sentence in them.
"""

import base64
import codecs
import string
from collections.abc import Callable, Mapping

Disguise = Callable[[str], str]

_LEET = str.maketrans("aeiost", "431057")
_CYRILLIC = str.maketrans("aeopcxyisABEKMHOPCTX", "аеорсхуіѕАВЕКМНОРСТХ")
_GREEK = str.maketrans("aovpuikntew", "αονρυικητεω")
_FLIP = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz")
_SMALL = str.maketrans("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ")
_CODES = """
.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..-
-.-- --..
"""
_MORSE = dict(zip(string.ascii_lowercase, _CODES.split(), strict=True))


def letters_from(start: int) -> Disguise:
    """Lower-case letters replaced by the 26 characters from `start`."""
    return lambda text: text.translate({97 + i: start + i for i in range(26)})


def after_each(mark: str) -> Disguise:
    """`mark` after every letter."""
    return lambda text: "".join(c + mark if c.isalpha() else c for c in text)


def between(gap: str, words: str) -> Disguise:
    """`gap` between letters and `words` between words."""
    return lambda text: words.join(gap.join(word) for word in text.split())


def selectors(text: str) -> str:
    """UTF-8 bytes as variation selectors after an emoji."""
    data = text.encode()
    return "😊" + "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in data)


def tags(text: str) -> str:
    """ASCII as invisible tag characters after visible text."""
    return "Hello!" + "".join(chr(0xE0000 + ord(c)) if c.isascii() else c for c in text)


def escaped(pattern: str) -> Disguise:
    """Each character through a format such as `\\\\u{:04x}`."""
    return lambda text: "".join(pattern.format(ord(c)) for c in text)


def per_byte(pattern: str) -> Disguise:
    """Each UTF-8 byte through a format such as `%{:02X}`."""
    return lambda text: "".join(pattern.format(b) for b in text.encode())


def u_escapes(text: str) -> str:
    """JSON escapes: UTF-16 code units."""
    data = text.encode("utf-16-be")
    return "".join(f"\\u{data[i]:02x}{data[i + 1]:02x}" for i in range(0, len(data), 2))


def morse(text: str) -> str:
    """International Morse code, words apart by a slash."""
    return " / ".join(" ".join(_MORSE.get(c, "") for c in w) for w in text.lower().split())


def shift(places: int) -> Disguise:
    """Caesar's cipher."""
    low, up = string.ascii_lowercase, string.ascii_uppercase
    table = str.maketrans(low + up, low[places:] + low[:places] + up[places:] + up[:places])
    return lambda text: text.translate(table)


UNICODE: dict[str, Disguise] = {
    "zero-width space": after_each("\u200b"),
    "zero-width joiner": after_each("\u200d"),
    "soft hyphen": after_each("\u00ad"),
    "bidi override": lambda text: "\u202e" + text[::-1] + "\u202c",
    "tags": tags,
    "variation selectors": selectors,
    "full width": letters_from(0xFF41),
    "mathematical": letters_from(0x1D41A),
    "circled": letters_from(0x24D0),
    "regional indicators": letters_from(0x1F1E6),
    "black squares": letters_from(0x1F170),
    "small capitals": lambda text: text.lower().translate(_SMALL),
    "zalgo": after_each("\u0316\u0353\u033f\u0360"),
    "underlined": after_each("\u0332"),
    "acute accents": lambda text: "".join(c + "\u0301" if c in "aeiou" else c for c in text),
    "cyrillic": lambda text: text.translate(_CYRILLIC),
    "greek": lambda text: text.translate(_GREEK),
    "upside down": lambda text: text.lower().translate(_FLIP)[::-1],
}
SPELLING: dict[str, Disguise] = {
    "spaced": lambda text: " ".join(text),
    "spaced, two between words": between(" ", "  "),
    "dotted": between(".", " "),
    "dotted throughout": lambda text: ".".join(text),
    "dashed": between("-", " "),
    "underscored": between("_", " "),
    "one letter a line": between("\n", "\n\n"),
    "leetspeak": lambda text: text.lower().translate(_LEET),
    "jumping case": lambda text: "".join(
        c.upper() if i % 2 else c.lower() for i, c in enumerate(text)
    ),
}
ENCODINGS: dict[str, Disguise] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in lines": lambda text: base64.encodebytes((text + " ").encode() * 3).decode(),
    "base64 reversed": lambda text: base64.b64encode(text.encode()).decode()[::-1],
    "base64 under rot13": lambda text: codecs.encode(
        base64.b64encode(text.encode()).decode(), "rot13"
    ),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex, spaced": lambda text: text.encode().hex(" "),
    "hex, 0x": per_byte("0x{:02x} "),
    "bits": per_byte("{:08b} "),
    "decimal codes": lambda text: " ".join(str(b) for b in text.encode()),
    "percent": per_byte("%{:02X}"),
    "html entities": escaped("&#{};"),
    "html hex entities": escaped("&#x{:x};"),
    "u escapes": u_escapes,
    "x escapes": per_byte("\\x{:02x}"),
    "octal escapes": per_byte("\\{:03o}"),
    "morse": morse,
}
CIPHERS: dict[str, Disguise] = {
    "rot13": shift(13),
    "shift by 3": shift(3),
    "atbash": lambda text: text.translate(
        str.maketrans(
            string.ascii_letters,
            string.ascii_lowercase[::-1] + string.ascii_uppercase[::-1],
        )
    ),
    "reversed": lambda text: text[::-1],
    "words reversed": lambda text: " ".join(word[::-1] for word in text.split()),
    "word order reversed": lambda text: " ".join(reversed(text.split())),
}
ALL = UNICODE | SPELLING | ENCODINGS | CIPHERS
FAMILIES: Mapping[str, Mapping[str, Disguise]] = {
    "unicode": UNICODE,
    "spelling": SPELLING,
    "encodings": ENCODINGS,
    "ciphers": CIPHERS,
}
"""The disguises by the kind of view that takes them off."""
