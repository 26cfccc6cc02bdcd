"""Encryption of captured prompts at rest, with keys that can be changed."""

from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from guard.settings import secret
from guard.terms.errors import ConfigError, StoreError


class PromptCipher:
    """Fernet (AES-128-CBC with HMAC-SHA-256): the first key encrypts, all keys decrypt."""

    def __init__(self, fernets: MultiFernet) -> None:
        self._fernets = fernets

    @classmethod
    def from_environment(
        cls, variable: str, environment: Mapping[str, str] | None = None
    ) -> "PromptCipher":
        """The cipher whose keys the variable lists, newest first, with commas between them.

        Each is 32 bytes in URL-safe base64. ConfigError naming the variable when one is not.
        """
        try:
            keys = [Fernet(key.strip()) for key in secret(variable, environment).split(",")]
        except ValueError:
            raise ConfigError(
                f"the environment variable {variable} must hold keys of 32 bytes in URL-safe "
                "base64, with commas between them"
            ) from None
        return cls(MultiFernet(keys))

    def encrypt(self, content: bytes) -> bytes:
        """The content under the first key, with a random start and a time stamp."""
        return self._fernets.encrypt(content)

    def decrypt(self, token: bytes) -> bytes:
        """The content; StoreError when no key fits, or someone has changed it."""
        try:
            return self._fernets.decrypt(token)
        except InvalidToken:
            raise StoreError(
                "store: a prompt was encrypted with a key that is not listed"
            ) from None

    def rotate(self, token: bytes) -> bytes:
        """The same content under the first key; StoreError as `decrypt`."""
        try:
            return self._fernets.rotate(token)
        except InvalidToken:
            raise StoreError(
                "store: a prompt was encrypted with a key that is not listed"
            ) from None
