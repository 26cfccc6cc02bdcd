"""Keyed hashes: the same for those who share the secret, and for nobody else."""

import pytest

from guard.recognition.digests import Digester
from guard.settings import Recognition
from guard.terms.errors import ConfigError

SETTINGS = Recognition()


def told(secret: str, purpose: str = "answers") -> Digester:
    return Digester.of(SETTINGS, purpose, {SETTINGS.key_env: secret})


def test_without_a_secret_every_process_has_its_own() -> None:
    one, other = (Digester.of(SETTINGS, "answers", {}) for _ in range(2))
    assert one.digest(["x"]) != other.digest(["x"])
    assert not one.shared


def test_the_secret_is_shared_and_each_purpose_has_hashes_of_its_own() -> None:
    one, again = (told("s" * 32) for _ in range(2))
    assert one.shared
    assert one.digest(["x", "y"]) == again.digest(["x", "y"])
    assert one.digest(["x", "y"]) != one.digest(["xy", ""])
    assert one.digest(["x"]) != told("s" * 32, "prompts").digest(["x"])


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"recognition\.key_env: .* less than 16 characters"):
        told("short")
