"""The section `keys`: API keys, what they may do, and how much of it."""

from typing import Annotated, Literal

from pydantic import Field

from guard.settings import patterns
from guard.settings.recognition import Trust
from guard.settings.sections import Name, Rates, Section


class Key(Section):
    """An API key, stored as the hex SHA-256 of its text."""

    name: Name
    """Its name, in metrics, audit rows and policies."""
    sha256: Annotated[str, Field(pattern=patterns.SHA256)]
    """The hash: `printf %s "$KEY" | sha256sum`."""
    scopes: frozenset[Literal["inference", "check", "admin"]] = frozenset({"inference"})
    """What it may do."""
    limits: Rates = Rates()
    """Its own limits, in place of `limits.per_key`."""
    trust: Trust = Trust()
    """Whose words its texts are, in place of what the section `trust` says."""
