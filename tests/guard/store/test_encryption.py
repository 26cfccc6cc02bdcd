"""Encryption at rest: round trip, change of keys, refusals."""

import pytest
from cryptography.fernet import Fernet

from guard.store.encryption import PromptCipher
from guard.terms.errors import ConfigError, StoreError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def cipher(*keys: str) -> PromptCipher:
    return PromptCipher.from_environment("A_KEY", {"A_KEY": ", ".join(keys)})


def test_round_trip_hides_the_text() -> None:
    token = cipher(OLD).encrypt(b"the launch code")

    assert b"launch" not in token
    assert cipher(OLD).decrypt(token) == b"the launch code"


def test_equal_texts_look_different() -> None:
    assert cipher(OLD).encrypt(b"same") != cipher(OLD).encrypt(b"same")


def test_a_new_first_key_encrypts_and_the_old_one_still_decrypts() -> None:
    token = cipher(OLD).encrypt(b"before")

    both = cipher(NEW, OLD)

    assert both.decrypt(token) == b"before"
    assert cipher(NEW).decrypt(both.encrypt(b"after")) == b"after"
    assert cipher(NEW).decrypt(both.rotate(token)) == b"before"


def test_a_key_that_is_not_listed_opens_nothing() -> None:
    token = cipher(OLD).encrypt(b"text")

    for use in (cipher(NEW).decrypt, cipher(NEW).rotate):
        with pytest.raises(StoreError, match="key that is not listed"):
            use(token)


def test_a_changed_token_is_refused() -> None:
    token = bytearray(cipher(OLD).encrypt(b"text"))
    token[-20] ^= 1

    with pytest.raises(StoreError):
        cipher(OLD).decrypt(bytes(token))


@pytest.mark.parametrize(
    "value", ["hunter2", f"{OLD},", "ä" * 44], ids=["short", "empty", "letters"]
)
def test_unusable_keys_are_named_by_variable_only(value: str) -> None:
    with pytest.raises(ConfigError, match="A_KEY must hold keys") as caught:
        PromptCipher.from_environment("A_KEY", {"A_KEY": value})
    assert value not in str(caught.value)


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="A_KEY is not set"):
        PromptCipher.from_environment("A_KEY", {})
