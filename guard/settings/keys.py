"""The section `keys`: API keys, what they may do, and how much of it."""

from typing import Annotated, Literal

from pydantic import Field

from guard.settings.sections import Name, Rates, Section


class Key(Section):
    """An API key, stored as the hex SHA-256 of its text."""

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: frozenset[Literal["inference", "check", "admin"]] = frozenset({"inference"})
    limits: Rates = Rates()
