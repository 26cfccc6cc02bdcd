"""Keyed hashes of texts: all that is kept of them, in memory, in files and in Redis.

The secret is the deployment's, from the environment, so that replicas know each other's hashes; a
process that has none draws one of its own, which goes nowhere. Without the secret a hash can be
neither read back nor guessed.
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from guard.settings import Recognition
from guard.terms.errors import ConfigError, about

DIGEST_BYTES = 16
LEAST_SECRET = 16
"""Characters: `openssl rand -hex 32` gives 64."""


@dataclass(frozen=True, slots=True)
class Digester:
    """Makes the keyed hashes of one purpose; `shared` where other processes have the secret too."""

    key: bytes
    shared: bool = False

    @classmethod
    def of(
        cls, settings: Recognition, purpose: str, environment: Mapping[str, str] | None = None
    ) -> Self:
        """The digester of `purpose`, a word; ConfigError for a secret that is too short."""
        told = (os.environ if environment is None else environment).get(settings.key_env, "")
        if not told:
            return cls(secrets.token_bytes(32))
        if len(told) < LEAST_SECRET:
            with about("recognition", "key_env"):
                raise ConfigError(f"{settings.key_env} has less than {LEAST_SECRET} characters")
        # A key of its own for each purpose: a hash of one says nothing about another's.
        return cls(blake2b(told.encode(), person=purpose.encode()).digest()[:32], shared=True)

    def digest(self, parts: Iterable[str]) -> bytes:
        """The hash of what `parts` name; the lengths count, so no two lists look alike."""
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        told = b"".join([b"%d:%b" % (len(data), data) for data in encoded])
        return blake2b(told, key=self.key, digest_size=DIGEST_BYTES).digest()
