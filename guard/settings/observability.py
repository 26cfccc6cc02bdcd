"""The sections `logs` and `tracing`: what the operator sees of running requests."""

from typing import Annotated, Literal

from pydantic import Field

from guard.settings.sections import Seconds, Section, Url, VariableName


class Logs(Section):
    """The form of the log on standard error, and whether each answered request has a line."""

    format: Literal["text", "json"] = "text"
    """`json` is one object a line, with `time`, `level`, `logger`, `message`."""
    access: bool = False
    """A line for each answered request: `request_id`, `key` (the API key's name), `route`,
    `status`, `action`, `latency_ms`. It takes the place of uvicorn's access log, which would write
    query strings."""


class Tracing(Section):
    """Where spans go, over OTLP and HTTP: `endpoint` is the collector's whole address.

    `sample_ratio` of the requests have spans. A client's `traceparent` is their parent, and says
    whether they are sampled, with `accept_parent` only.
    """

    endpoint: Url
    """The collector's whole address for traces."""
    headers_env: VariableName | None = None
    """The variable with headers for it: `NAME=VALUE`, with commas between them."""
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of requests that have spans."""
    accept_parent: bool = False
    """A client's `traceparent` is the request's parent, and says whether it is sampled. Only where
    clients are your own: others could fill your collector."""
    timeout_s: Seconds = 5
    """Most seconds that one export, and the end of the proxy, wait for the collector."""
