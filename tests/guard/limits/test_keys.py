"""API keys: who may do what."""

import hashlib

import pytest

from guard.limits.keys import Keyring
from guard.settings import Key
from guard.terms.errors import RequestError


def key(name: str, text: str, *scopes: str) -> Key:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Key.model_validate({"name": name, "sha256": digest, "scopes": scopes})


RING = Keyring([key("app", "one", "inference"), key("tool", "two", "check")])


@pytest.mark.parametrize(
    ("headers", "scope", "name"),
    [
        ({"authorization": "Bearer one"}, "inference", "app"),
        ({"authorization": "bearer one"}, "inference", "app"),
        ({"x-api-key": "one"}, "inference", "app"),
        ({"authorization": "Bearer two"}, "check", "tool"),
    ],
)
def test_admitted(headers: dict[str, str], scope: str, name: str) -> None:
    admitted = RING.admit(headers, scope)

    assert admitted is not None
    assert admitted.name == name


@pytest.mark.parametrize(
    ("headers", "scope", "status"),
    [
        ({}, "inference", 401),
        ({"authorization": "Bearer"}, "inference", 401),
        ({"authorization": "Bearer one two"}, "inference", 401),
        ({"authorization": "Bearer ünï"}, "inference", 401),
        ({"authorization": "Bearer two"}, "inference", 403),
        ({"authorization": "Bearer one"}, "check", 403),
    ],
)
def test_turned_away(headers: dict[str, str], scope: str, status: int) -> None:
    with pytest.raises(RequestError) as caught:
        RING.admit(headers, scope)

    assert caught.value.status == status


def test_without_keys_inference_is_open_and_nothing_else() -> None:
    ring = Keyring([])

    assert ring.admit({}, "inference") is None
    with pytest.raises(RequestError):
        ring.admit({}, "check")
