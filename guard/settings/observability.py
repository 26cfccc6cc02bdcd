"""The sections `logs` and `tracing`: what the operator sees of running requests."""

from typing import Annotated, Literal

from pydantic import Field

from guard.settings.sections import Seconds, Section, Url, VariableName


class Logs(Section):
    """The form of the log on standard error, and whether each answered request has a line."""

    format: Literal["text", "json"] = "text"
    access: bool = False


class Tracing(Section):
    """Where spans go, over OTLP and HTTP: `endpoint` is the collector's whole address.

    `sample_ratio` of the requests have spans. A client's `traceparent` is their parent, and says
    whether they are sampled, with `accept_parent` only.
    """

    endpoint: Url
    headers_env: VariableName | None = None
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    accept_parent: bool = False
    timeout_s: Seconds = 5
