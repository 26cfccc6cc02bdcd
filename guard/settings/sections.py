"""The sections of the configuration: typed, frozen, unknown keys refused."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from guard.settings import patterns
from guard.settings.problems import Problem, ProblemsError
from guard.terms.corruption import DEFAULT_KIND, CorruptedTokens, CorruptionKind

Seconds = Annotated[float, Field(gt=0, le=3600)]
Threshold = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=patterns.NAME)]
VariableName = Annotated[str, Field(pattern=patterns.VARIABLE)]
Url = Annotated[str, Field(pattern=patterns.URL)]


def folder_of(info: ValidationInfo) -> Path:
    """The folder that relative paths lead on from; as they stand where nobody says which."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder


def _anchored(path: Path, info: ValidationInfo) -> Path:
    return folder_of(info) / path


AnchoredPath = Annotated[Path, AfterValidator(_anchored)]
"""A path in the configuration: relative to its file, absolute once that is read."""


class Section(BaseModel):
    """Base of every part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ListenTls(Section):
    """The proxy's own certificate and key, and whose clients it serves: PEM files."""

    cert: AnchoredPath
    """PEM file of the certificate, and of its key where `key` is not set."""
    key: AnchoredPath | None = None
    """PEM file of the certificate's key."""
    client_ca: AnchoredPath | None = None
    """PEM file of an authority: only clients that show a certificate of it are served."""


class Listen(Section):
    """Where the proxy listens."""

    host: str = "127.0.0.1"
    """The address; other than loopback only with `keys`."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port."""
    drain_s: Seconds = 30
    """How many seconds running answers may go on after SIGTERM."""
    tls: ListenTls | None = None
    """Serve over TLS."""


DeviceName = Literal["cpu", "cuda", "openvino"]


class EncoderSource(Section):
    """The encoder artifact that all feature detectors share.

    A pooling encoder asks the server at `url`, in at most `timeout_s` a request and over at most
    `connections`; `threads` are those in which any model that runs here reads a prompt, as many as
    `guard.gateway.sizing` says where nothing is said.
    """

    path: AnchoredPath
    """The folder of the artifact."""
    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    """Threads in which any model that runs here reads a prompt; where it is not set, as many as
    workers and screening threads leave cores, at most four."""
    device: DeviceName = "cpu"
    """Where the model runs: on the processor, or by another build of ONNX Runtime on a GPU
    (`cuda`, package `onnxruntime-gpu`) or by OpenVINO (`onnxruntime-openvino`)."""
    url: Url | None = None
    """Of a pooling encoder: the base URL, without `/v1`, of the vLLM server that pools the model.
    It is never in the artifact."""
    api_key_env: VariableName | None = None
    """Of a pooling encoder: the variable that holds that server's API key."""
    timeout_s: Seconds = 5
    """Of a pooling encoder: the most seconds that the features of one request may take. Too late,
    or from another model than the artifact was made with, the policies' `on_error` decides."""
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    """Of a pooling encoder: most connections at a time."""


class CorruptionChoice(Section):
    """How the token embeddings of flagged texts are corrupted (ECO, section 3).

    `path` is an artifact of `ecoguard-train corruption`, in place of kind, dims and strength. With
    `embed_all` texts that are not flagged go as embeddings too, unchanged, where others would be
    corrupted: then neither time nor counted tokens tell the two apart.
    """

    path: AnchoredPath | None = None
    """An artifact of `ecoguard-train corruption`, in place of kind, dims and strength: learned for
    this model, and refused for any other."""
    kind: CorruptionKind = DEFAULT_KIND
    """What is done to each token embedding of a flagged text."""
    dims: Annotated[int, Field(ge=0)] = 0
    """How many dimensions it is done to; 0: all of them."""
    strength: Annotated[float, Field(ge=0)] = 0
    """The standard deviation of the noise; 0 for kinds without noise."""
    tokens: CorruptedTokens | None = None
    """Which tokens of a flagged text: all, or those of words that could be names. Where a text was
    flagged for no name, or one would be left, it is all of them. Unless it is said: as the artifact
    was learned; all where `kind` is said; else names."""
    key_env: VariableName = "ECOGUARD_CORRUPTION_KEY"
    """The variable with the secret that seeds the noise: the same on all replicas, so that the same
    prompt is always corrupted in the same way."""
    embed_all: bool = False
    """Send texts that are not flagged as embeddings too, unchanged, where others would be
    corrupted; not with `upstream.send_early: true`."""

    @model_validator(mode="after")
    def _is_said_once(self) -> Self:
        doubled = {"kind", "dims", "strength"} & self.model_fields_set
        if self.path is not None and doubled:
            said = "the artifact says kind, dims and strength; take this out"
            raise ProblemsError(*(Problem((key,), said, ("path",)) for key in sorted(doubled)))
        return self


class Refusal(Section):
    """How a blocked request is answered.

    `error` is status 400 with code `content_filter`; `message` is a normal answer that says
    `text` and ends with `finish_reason: content_filter`, for chat interfaces that break on a 400.
    """

    form: Literal["error", "message"] = "error"
    """`error` is status 400, `message` is status 200 with a refusal."""
    text: str = "I can't help with that."
    """The refusal's words."""
    history: Literal["cut", "note", "refuse"] | None = None
    """What becomes of an earlier turn of a chat that is blocked: `cut` goes on without it and its
    answer, `note` puts `note` in its place, `refuse` refuses the chat for good. Where nothing is
    said, it is cut where refusals are messages, else refused."""
    note: str = "(A message was removed.)"
    """What stands in the place of a turn, as the user's words."""


class Fields(Section):
    """The operator's say over the closed field tables (docs/reference/fields.md)."""

    unknown: Literal["drop", "refuse"] = "drop"
    """What becomes of fields that no table names; they are never forwarded. What is dropped is
    named in the answer's header `x-ecoguard-dropped-fields` and counted."""
    allow: tuple[str, ...] = ()
    """Names of refused fields to carry all the same; a field inside an object by its dotted place
    without indices (`messages.tools`). What is carried so is screened."""
    media: Literal["refuse", "allow_unscreened"] = "refuse"
    """Audio and video, and pictures where `images.enabled` is not set."""
    control_tokens: Literal["neutralise", "refuse", "allow"] = "neutralise"
    """Special tokens of the model inside messages, tools and documents, for models whose folder is
    known. What is neutralised reaches the model as text that steers nothing: `< |im_end|>`."""


Most = Annotated[int, Field(ge=1)]


class Rates(Section):
    """How much one API key may ask for; no limit where nothing is said."""

    requests_per_minute: Most | None = None
    """Requests in a minute."""
    tokens_per_minute: Most | None = None
    """Tokens in a minute, of prompts and answers."""
    concurrent_requests: Most | None = None
    """Requests under way at a time."""

    def over(self, others: "Rates") -> "Rates":
        """These limits, and where nothing is said those of `others`."""
        return others.model_copy(update=self.model_dump(exclude_none=True))


NO_LIMITS = Rates()


class Limits(Section):
    """Bounds on one request, and on all of them together."""

    body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 4 << 20
    """The largest request body."""
    body_depth: Annotated[int, Field(ge=4, le=200)] = 64
    """The deepest nesting in it."""
    body_values: Annotated[int, Field(ge=100)] = 200_000
    """The most values in it."""
    body_s: Seconds = 30
    """Seconds until it must be in."""
    header_bytes: Annotated[int, Field(ge=1024, le=1 << 20)] = 32 << 10
    """The most bytes in a request's path and headers; 431 beyond. Read at the start only."""
    header_count: Annotated[int, Field(ge=16, le=10_000)] = 100
    """The most headers of a request; 431 beyond. Read at the start only."""
    header_s: Seconds = 10
    """Seconds until a head must be in; then the connection ends. Read at the start only."""
    screening_s: Seconds = 10
    """Most seconds that screening may take; beyond them `on_error` decides."""
    screening_threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads that screen prompts."""
    screening_queue: Annotated[int, Field(ge=1)] = 256
    """Most prompts that wait for such a thread; beyond them `on_error` decides."""
    screening_tokens: Annotated[int, Field(ge=0, le=1 << 30)] = 100_000
    """Most tokens, about, that each detector reads of one request, disguises and overlaps counted,
    texts that were screened before not; beyond them `on_cost` decides. 0: no bound."""
    screening_cache_bytes: Annotated[int, Field(ge=0, le=1 << 34)] = 32 << 20
    """Memory for scores of texts that were screened before; 0 remembers none."""
    concurrent_requests: Annotated[int, Field(ge=1)] = 1024
    """Most requests at a time for each route; beyond them 503."""
    per_key: Rates = Rates()
    """The limits of every API key that has none of its own."""


class Images(Section):
    """Whether requests may hold pictures, and what one may be; install `ecoguard[images]`.

    A picture is decoded in a process of its own and written anew; that is what the model is sent.
    """

    enabled: bool = False
    """Take pictures. Without it they are refused."""
    read_text: bool = True
    """Read the text in pictures: it is judged like any other, with the texts around the picture."""
    count: Annotated[int, Field(ge=1, le=1000)] = 8
    """Most pictures in a request, those of earlier turns included."""
    bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 3 << 20
    """Most bytes of one picture's file. The request's own bound is `limits.body_bytes`, and base64
    makes four bytes of three."""
    pixels: Annotated[int, Field(ge=1, le=100_000_000)] = 12_000_000
    """Most pixels of one picture."""
    frames: Annotated[int, Field(ge=1, le=1000)] = 1
    """Most frames of an animation. Only the first one is read, and only that one is sent."""
    processes: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that decode pictures, of each worker."""
    queue: Annotated[int, Field(ge=1)] = 64
    """Most requests that wait for such a process; beyond them 503."""
    timeout_s: Seconds = 10
    """Most seconds that a request's pictures may take, the wait included; beyond them 503."""
    memory_bytes: Annotated[int, Field(ge=256 << 20, le=1 << 36)] = 2 << 30
    """Most memory that such a process may ask for."""
    cache_bytes: Annotated[int, Field(ge=0, le=1 << 34)] = 64 << 20
    """Memory for pictures that were decoded before: a chat sends them again with every turn."""


class Check(Section):
    """The endpoints that screen without calling the model; off unless enabled."""

    enabled: bool = False
    """Serve `/v1/guard/check`, OpenAI's `/v1/moderations`, LiteLLM's generic guardrail API and the
    FMS detectors' `/api/v1/text/contents`, for keys with the scope `check`."""


class Cors(Section):
    """Origins whose pages may call the proxy from a browser; none by default."""

    allow_origins: tuple[str, ...] = ()
    """The origins."""
