"""API keys: stored as hashes, compared in constant time."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from guard.settings import Key
from guard.terms.errors import RequestError


class Keyring:
    """Admits requests by their bearer key; with no keys at all, every request may infer."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = tuple(keys)

    def admit(self, headers: Mapping[str, str], scope: str) -> Key | None:
        """The key of a request that may do what `scope` says; RequestError 401 or 403 otherwise."""
        if not self._keys and scope == "inference":
            return None
        key = self._find(presented(headers))
        if key is None:
            raise RequestError(
                "Incorrect API key provided",
                status=401,
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        if scope not in key.scopes:
            raise RequestError(
                "This API key may not use this endpoint", status=403, code="key_scope"
            )
        return key

    def _find(self, text: str) -> Key | None:
        """Compares with every key, whatever matches first: time tells nothing."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        found = None
        for key in self._keys:
            if hmac.compare_digest(digest, key.sha256):
                found = key
        return found


def presented(headers: Mapping[str, str]) -> str:
    """The key in `Authorization: Bearer …`, or in Anthropic's `x-api-key`."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return headers.get("x-api-key", "")
