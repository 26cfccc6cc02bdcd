"""The model server's version: which of the fields in our tables it has."""

import logging
import re

import orjson

logger = logging.getLogger(__name__)

Version = tuple[int, int]

# Whose request models the field tables were compared with.
MEASURED: tuple[Version, ...] = ((0, 32), (0, 33))

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\D|$)")


def read_version(body: bytes) -> Version | None:
    """Major and minor version in the answer of `/version`; None where it tells none."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    text = told.get("version") if isinstance(told, dict) else None
    found = _VERSION.match(text) if isinstance(text, str) else None
    return (int(found[1]), int(found[2])) if found else None


def warn_of(version: Version | None, server: str) -> None:
    """Log that a server's fields have not been compared with the tables."""
    if version in MEASURED:
        return
    told = "tells no version" if version is None else "is vLLM {}.{}".format(*version)
    known = ", ".join("{}.{}".format(*each) for each in MEASURED)
    logger.warning(
        "the server at %s %s: the field tables were compared with vLLM %s", server, told, known
    )
