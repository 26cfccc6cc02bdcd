"""The section `redis`: what replicas share."""

from typing import Annotated

from pydantic import Field

from guard.settings import patterns
from guard.settings.sections import AnchoredPath, Seconds, Section, VariableName

RedisUrl = Annotated[str, Field(pattern=patterns.REDIS_URL)]


class Redis(Section):
    """A Redis server. When it does not answer within `timeout_s`, each process counts for itself
    for `retry_s`."""

    url: RedisUrl
    """`redis://HOST:PORT/DB`, `rediss://…` or `unix:///PATH`."""
    password_env: VariableName | None = None
    """The variable with its password."""
    ca: AnchoredPath | None = None
    """PEM file of the authority of its certificate."""
    prefix: str = "ecoguard"
    """The beginning of the names of all its keys."""
    timeout_s: Seconds = 0.1
    """Seconds that a request waits for it."""
    retry_s: Seconds = 1
    """For how many seconds it is not asked after a failure."""
