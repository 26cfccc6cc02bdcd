"""The sections `upstream` and `models`: the servers behind the proxy, and what they serve."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from guard.settings.sections import Seconds, Section, Url, VariableName

Urls = Annotated[tuple[Url, ...], Field(max_length=64)]


class UpstreamTls(Section):
    """How the servers prove who they are, and how we do: PEM files."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _a_certificate_has_its_key(self) -> Self:
        if self.key and not self.cert:
            raise ValueError("cert: a key needs its certificate")
        return self

    def anchored(self, folder: Path) -> Self:
        """The section with relative files made absolute against `folder`."""
        files = {name: getattr(self, name) for name in ("ca", "cert", "key")}
        return self.model_copy(
            update={name: folder / file for name, file in files.items() if file is not None}
        )


class Upstream(Section):
    """The vLLM servers behind the proxy, and how long anything there may take."""

    url: Url | None = None
    urls: Urls = ()
    api_key_env: VariableName | None = None
    tls: UpstreamTls = UpstreamTls()
    connect_s: Seconds = 5
    first_byte_s: Seconds = 600
    between_bytes_s: Seconds = 120
    connections: Annotated[int, Field(ge=1, le=100_000)] = 1000
    queue_s: Annotated[float, Field(ge=0, le=3600)] = 1
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    health_s: Seconds = 5
    health_timeout_s: Seconds = 2
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker_s: Seconds = 10
    send_early: bool | None = None  # `Settings.sends_early` says what that means

    @property
    def servers(self) -> tuple[str, ...]:
        """The base URLs of the servers, each once."""
        return tuple(dict.fromkeys(self.urls or (self.url or "",)))

    @model_validator(mode="after")
    def _has_servers(self) -> Self:
        if (self.url is None) == (not self.urls):
            raise ValueError("url: name one server here, or several under urls")
        return self


class Model(Section):
    """A served model: the servers that have it, where they are not those of all models, and its
    folder: its tokenizer, and its weights for the token embedding table."""

    path: Path | None = None
    context_tokens: Annotated[int, Field(ge=1)] | None = None  # vLLM's --max-model-len
    upstreams: Urls = ()
