"""Versions of model servers, as they tell them."""

import logging

import pytest

from guard.upstream.server_version import Version, read_version, warn_of


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (b'{"version": "0.32.0+cpu"}', (0, 32)),
        (b'{"version": "0.33.1.dev7+gabc"}', (0, 33)),
        (b'{"version": "1.0"}', (1, 0)),
        (b'{"version": "dev"}', None),
        (b'{"version": 3}', None),
        (b"[]", None),
        (b"nothing", None),
    ],
)
def test_versions_are_read(body: bytes, version: Version | None) -> None:
    assert read_version(body) == version


@pytest.mark.parametrize(
    ("version", "words"),
    [((0, 32), ""), ((0, 33), ""), ((0, 34), "is vLLM 0.34"), (None, "tells no version")],
)
def test_what_was_not_compared_is_told(
    version: Version | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of(version, "host:1")

    assert words in caplog.text
    assert bool(caplog.records) is bool(words)
