"""The sections `upstream` and `models`: the servers behind the proxy, and what they serve."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from guard.settings.problems import Problem, ProblemsError
from guard.settings.sections import AnchoredPath, Seconds, Section, Url, VariableName


def _without_version(url: str) -> str:
    """Every route begins with /v1: one that stands in the address would stand there twice."""
    if url.rstrip("/").endswith("/v1"):
        raise ValueError("must not end with /v1: the routes that begin with it are added to it")
    return url


ServerUrl = Annotated[Url, AfterValidator(_without_version)]
Urls = Annotated[tuple[ServerUrl, ...], Field(max_length=64)]


class UpstreamTls(Section):
    """How the servers prove who they are, and how we do: PEM files."""

    ca: AnchoredPath | None = None
    """PEM file of the authority whose certificates vLLM may show; otherwise the system's."""
    cert: AnchoredPath | None = None
    """PEM file of the certificate that we show it."""
    key: AnchoredPath | None = None
    """PEM file of that certificate's key."""

    @model_validator(mode="after")
    def _a_certificate_has_its_key(self) -> Self:
        if self.key and not self.cert:
            raise ProblemsError(Problem(("key",), "a key needs its certificate, cert"))
        return self


class Upstream(Section):
    """The vLLM servers behind the proxy, and how long anything there may take."""

    url: ServerUrl | None = None
    """vLLM's base URL, without `/v1`."""
    urls: Urls = ()
    """In its place: several servers of the same models."""
    api_key_env: VariableName | None = None
    """The variable that holds vLLM's API key."""
    tls: UpstreamTls = UpstreamTls()
    """TLS to the servers."""
    connect_s: Seconds = 5
    """Seconds to connect."""
    first_byte_s: Seconds = 600
    """Seconds from the request to the status of the answer."""
    between_bytes_s: Seconds = 120
    """Seconds between two pieces of the answer."""
    connections: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Most requests at a time to each server."""
    queue_s: Annotated[float, Field(ge=0, le=3600)] = 1
    """Seconds that a request may wait for a place; then 503 with `Retry-After`."""
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    """How often a request is sent again, where that is harmless."""
    health_s: Seconds = 5
    """Seconds between two health checks of a server."""
    health_timeout_s: Seconds = 2
    """Seconds until a health check counts as failed."""
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """After so many failures in a row a server is left alone."""
    breaker_s: Seconds = 10
    """For so many seconds."""
    send_early: bool | None = None  # `Settings.sends_early` says what that means
    """Send a prompt while it is being screened; where it is not set: unless `corruption.embed_all`
    is on."""

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


class Model(Section):
    """A served model: the servers that have it, where they are not those of all models, and its
    folder: its tokenizer, and its weights for the token embedding table."""

    path: AnchoredPath | None = None
    """The folder with the model's `tokenizer.json` and safetensors: needed to corrupt prompts, and
    to read prompts of token ids; with its chat template, by which requests are rendered for
    screening, and for the template's switches."""
    template_switches: tuple[str, ...] | None = None
    """The names in `chat_template_kwargs` that clients may set, to true, false, a number or a level
    (`low`, `high`); where it is not set: what the chat template in `path` reads."""
    context_tokens: Annotated[int, Field(ge=1)] | None = None  # vLLM's --max-model-len
    """vLLM's `--max-model-len`, where it is not the model's own."""
    upstreams: Urls = ()
    """Base URLs of the servers that have this model, where they are not those of `upstream`."""
