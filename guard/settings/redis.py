"""The section `redis`: what replicas share."""

from typing import Annotated

from pydantic import Field

from guard.settings import patterns
from guard.settings.recognition import DAY_S
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
    shared_scores: bool = False
    """Share the scores of texts that were screened before (keyed hashes and numbers), so that a
    replica that starts does not read every conversation again. Needs `recognition.key_env`."""
    scores_s: Annotated[float, Field(gt=0, le=30 * DAY_S)] = DAY_S
    """Seconds after which such a score is forgotten."""
