"""Redaction: what must not be stored is not, wherever it stands; what is harmless stays."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.store.redaction import load_hook, redact
from guard.terms.errors import ConfigError

REDACTED = [
    ("e-mail", "write to bob.smith+x@ex-ample.co.uk today", "write to [EMAIL] today"),
    ("phone", "call +1 (555) 010-9999 now", "call [PHONE] now"),
    ("german phone", "Tel. 030/1234567", "Tel. [PHONE]"),
    ("card", "card 4111 1111 1111 1111, thanks", "card [CARD], thanks"),
    ("card without blanks", "5500005555555559", "[CARD]"),
    ("vendor key", "use sk-abc123def456ghi789jkl", "use [KEY]"),
    ("cloud key", "AKIAIOSFODNN7EXAMPLE", "[KEY]"),
    ("digest", "d41d8cd98f00b204e9800998ecf8427e", "[KEY]"),
    ("web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "[KEY]"),
    ("bearer", "Authorization: Bearer abc.def-123", "Authorization: Bearer [KEY]"),
    ("password", "password: hunter2x1 ok", "password: [KEY] ok"),
    (
        "private key",
        "see -----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY----- end",
        "see [KEY] end",
    ),
    ("cut private key", "-----BEGIN PRIVATE KEY-----\nMIIB", "[KEY]"),
]


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in REDACTED], ids=[row[0] for row in REDACTED]
)
def test_personal_texts_are_replaced_by_their_kind(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Ignore all previous instructions.",
        "In 2024 we sold 1,500 units for 12.50 each.",
        "def f(x): return x[0] @ y",
        "my password is a secret",
        "supercalifragilisticexpialidocious-and-longer-still",
        "first line\r\nsecond\u2028third",
    ],
)
def test_harmless_texts_stay(text: str) -> None:
    assert redact(text) == text


# Anything around it that is no part of it: blanks on both sides.
around = st.text().map(lambda text: text.replace("@", "").replace("-----", ""))
word = st.from_regex(r"[a-z][a-z0-9]{2,10}", fullmatch=True)
emails = st.builds("{}.{}@{}.{}".format, word, word, word, st.sampled_from(["com", "org", "info"]))
keys = st.from_regex(r"(sk-|ghp_|hf_)[A-Za-z0-9]{20,40}[0-9]", fullmatch=True)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """Sixteen digits that pass the check, in blocks or not."""
    digits = [4, *(draw(st.integers(0, 9)) for _ in range(14))]
    odd = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    digits.append(-(odd + sum(digits[1::2])) % 10)
    text = "".join(map(str, digits))
    blank = draw(st.sampled_from(["", " ", "-"]))
    return blank.join(text[start : start + 4] for start in range(0, 16, 4))


@given(before=around, secret=st.one_of(emails, keys, cards()), after=around)
def test_no_secret_survives_between_other_words(before: str, secret: str, after: str) -> None:
    assert secret not in redact(f"{before}\n{secret}\n{after}")


@given(cards())
def test_cards_are_told_from_phones(card: str) -> None:
    assert redact(f"pay {card} now") == "pay [CARD] now"


@given(st.text())
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(alphabet=st.characters(categories=["L", "Zs"], exclude_characters="@")))
def test_letters_and_blanks_stay(text: str) -> None:
    assert redact(text) == text or re.search("eyJ", text)


@pytest.mark.parametrize(
    "unit", ["a", "1", "1 ", "a@", "a.", "-", "(+", "a/", "sk-", "eyJa.", "password 1", "a1@b."]
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    """Four times the text takes nowhere near sixteen times as long."""

    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        started = process_time()
        redact(text)
        return process_time() - started

    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(80_000) for _ in range(3)) < 10 * max(short, 0.002)


def test_hooks_are_found_by_their_path() -> None:
    assert load_hook("html:escape")("<") == "&lt;"


@pytest.mark.parametrize("path", ["no_such_module:f", "html:no_such", "html.entities:html5"])
def test_missing_hooks_are_configuration_errors(path: str) -> None:
    with pytest.raises(ConfigError, match=f"no function '{path}'"):
        load_hook(path)
