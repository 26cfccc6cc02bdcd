"""The sections of the configuration: typed, frozen, unknown keys refused."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from guard.terms.corruption import CorruptionKind

Seconds = Annotated[float, Field(gt=0, le=3600)]
Threshold = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Url = Annotated[str, Field(pattern=r"^https?://[^/?#@]+(/[^?#]*)?$")]


class Section(BaseModel):
    """Base of every part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListenTls(Section):
    """The proxy's own certificate and key, and whose clients it serves: PEM files."""

    cert: Path
    key: Path | None = None
    client_ca: Path | None = None

    def anchored(self, folder: Path) -> Self:
        """The section with relative files made absolute against `folder`."""
        files = {name: getattr(self, name) for name in ("cert", "key", "client_ca")}
        return self.model_copy(
            update={name: folder / file for name, file in files.items() if file is not None}
        )


class Listen(Section):
    """Where the proxy listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    drain_s: Seconds = 30
    tls: ListenTls | None = None


class EncoderSource(Section):
    """The encoder artifact that all feature detectors share.

    A pooling encoder asks the server at `url`, in at most `timeout_s` a request and over at most
    `connections`; `threads` are those in which any model that runs here reads a prompt, as many as
    `guard.gateway.sizing` says where nothing is said.
    """

    path: Path
    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    url: Url | None = None
    api_key_env: VariableName | None = None
    timeout_s: Seconds = 5
    connections: Annotated[int, Field(ge=1, le=64)] = 4


class CorruptionChoice(Section):
    """How the token embeddings of flagged texts are corrupted (ECO, section 3).

    `path` is an artifact of `ecoguard-train corruption`, in place of kind, dims and strength. With
    `embed_all` texts that are not flagged go as embeddings too, unchanged, where others would be
    corrupted: then neither time nor counted tokens tell the two apart.
    """

    path: Path | None = None
    kind: CorruptionKind = "rand_noise_first_n"
    dims: Annotated[int, Field(ge=1)] = 1
    strength: Annotated[float, Field(ge=0)] = 50
    key_env: VariableName = "ECOGUARD_CORRUPTION_KEY"
    embed_all: bool = False

    @model_validator(mode="after")
    def _is_said_once(self) -> Self:
        doubled = {"kind", "dims", "strength"} & self.model_fields_set
        if self.path is not None and doubled:
            raise ValueError(
                f"path: the artifact says kind, dims and strength; take {min(doubled)} out"
            )
        return self


class Refusal(Section):
    """How a blocked request is answered.

    `error` is status 400 with code `content_filter`; `message` is a normal answer that says
    `text` and ends with `finish_reason: content_filter`, for chat interfaces that break on a 400.
    """

    form: Literal["error", "message"] = "error"
    text: str = "I can't help with that."


class Fields(Section):
    """The operator's say over the closed field tables (docs/reference/fields.md)."""

    unknown: Literal["drop", "refuse"] = "drop"
    allow: tuple[str, ...] = ()
    media: Literal["refuse", "allow_unscreened"] = "refuse"


Most = Annotated[int, Field(ge=1)]


class Rates(Section):
    """How much one API key may ask for; no limit where nothing is said."""

    requests_per_minute: Most | None = None
    tokens_per_minute: Most | None = None
    concurrent_requests: Most | None = None

    def over(self, others: "Rates") -> "Rates":
        """These limits, and where nothing is said those of `others`."""
        return others.model_copy(update=self.model_dump(exclude_none=True))


NO_LIMITS = Rates()


class Limits(Section):
    """Bounds on one request, and on all of them together."""

    body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 4 << 20
    body_depth: Annotated[int, Field(ge=4, le=200)] = 64
    body_values: Annotated[int, Field(ge=100)] = 200_000
    body_s: Seconds = 30
    screening_s: Seconds = 10
    screening_threads: Annotated[int, Field(ge=1, le=64)] = 1
    screening_queue: Annotated[int, Field(ge=1)] = 256
    screening_cache_bytes: Annotated[int, Field(ge=0, le=1 << 34)] = 32 << 20
    concurrent_requests: Annotated[int, Field(ge=1)] = 1024
    per_key: Rates = Rates()


class Check(Section):
    """The endpoint that screens without calling the model; off unless enabled."""

    enabled: bool = False


class Cors(Section):
    """Origins whose pages may call the proxy from a browser; none by default."""

    allow_origins: tuple[str, ...] = ()
