"""The section `redis`: where replicas share the limits of API keys."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from guard.settings.sections import Seconds, Section, VariableName

# A password in the URL would be a secret in the file: the pattern leaves no place for one.
RedisUrl = Annotated[str, Field(pattern=r"^(rediss?://[^@/?#]+(/\d+)?|unix:///[^@?#]+)$")]


class Redis(Section):
    """A Redis server. When it does not answer within `timeout_s`, each process counts for itself
    for `retry_s`."""

    url: RedisUrl
    """`redis://HOST:PORT/DB`, `rediss://…` or `unix:///PATH`."""
    password_env: VariableName | None = None
    """The variable with its password."""
    ca: Path | None = None
    """PEM file of the authority of its certificate."""
    prefix: str = "ecoguard"
    """The beginning of the names of all its keys."""
    timeout_s: Seconds = 0.1
    """Seconds that a request waits for it."""
    retry_s: Seconds = 1
    """For how many seconds it is not asked after a failure."""

    def anchored(self, folder: Path) -> Self:
        """The section with a relative file made absolute against `folder`."""
        return self.model_copy(update={"ca": folder / self.ca}) if self.ca else self
