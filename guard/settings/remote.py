"""The servers of a remote detector: where they are, and how long and how often they are asked."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from guard.settings.problems import Problem, ProblemsError
from guard.settings.sections import Seconds, Section, VariableName
from guard.settings.upstream import ServerUrl, UpstreamTls, Urls


class RemoteServers(Section):
    """Servers of one model, any of which may be asked."""

    url: ServerUrl | None = None
    """The server's base URL, without `/v1`."""
    urls: Urls = ()
    """In its place: several servers of the same model."""
    api_key_env: VariableName | None = None
    """The variable that holds the servers' API key."""
    tls: UpstreamTls = UpstreamTls()
    """TLS to the servers."""
    timeout_s: Seconds = 5
    """Seconds that the questions about one request may take; then `on_error` decides."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    """Most questions with the servers at a time."""
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    """How often a question is asked again, of another server where there is one."""
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """After so many failures in a row a server is left alone."""
    breaker_s: Seconds = 10
    """For so many seconds."""

    @property
    def servers(self) -> tuple[str, ...]:
        """The base URLs of the servers, each once."""
        return tuple(dict.fromkeys(self.urls or (self.url or "",)))

    @model_validator(mode="after")
    def _has_servers(self) -> Self:
        if (self.url is None) == (not self.urls):
            said = "name one server here, or several under urls"
            raise ProblemsError(Problem(("url",), said))
        return self
