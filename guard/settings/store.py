"""The section `store`: audit rows and captured prompts."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from guard.settings import patterns
from guard.settings.problems import Problem, ProblemsError
from guard.settings.sections import Name, Seconds, Section, VariableName, folder_of

SQLITE = "sqlite:///"
Days = Annotated[int, Field(ge=1, le=3650)]


def _anchored(url: str, info: ValidationInfo) -> str:
    """A relative SQLite file made absolute, as paths are."""
    if not url.startswith(SQLITE):
        return url
    return f"{SQLITE}{folder_of(info) / url.removeprefix(SQLITE)}"


StoreUrl = Annotated[str, Field(pattern=patterns.STORE_URL), AfterValidator(_anchored)]
DottedPath = Annotated[str, Field(pattern=patterns.FUNCTION)]


class Audit(Section):
    """One row for each answered request, without any of its text."""

    enabled: bool = True
    """Write audit rows."""
    retention_days: Days = 90
    """Older rows are deleted, hourly."""


class Capture(Section):
    """Prompts kept for training without labels; off unless enabled."""

    enabled: bool = False
    """Keep prompts."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.01
    """The share of requests whose prompt is kept."""
    daily_prompts_per_key: Annotated[int, Field(ge=1)] = 1000
    """Most prompts of one API key on one day (UTC), over all replicas: no client can fill the
    training set."""
    prompt_bytes: Annotated[int, Field(ge=1, le=4 << 20)] = 65536
    """Longer prompts are not kept."""
    retention_days: Days = 30
    """Older prompts are deleted, hourly."""
    exclude_keys: tuple[Name, ...] = ()
    """Names of API keys whose prompts are never kept."""
    encryption_key_env: VariableName | None = None
    """The variable with the keys that encrypt prompts at rest."""
    redaction: Literal["built_in", "none"] = "built_in"
    """Replaces e-mail addresses, phone and card numbers and keys, or nothing."""
    redaction_hook: DottedPath | None = None
    """`module:function` of your own, text in, text out; runs before the built-in redaction."""


class Store(Section):
    """Where records go, and how many may wait in memory."""

    url: Annotated[StoreUrl, Field(validate_default=True)] = "sqlite:///traffic.db"
    """`sqlite:///FILE`, relative to the configuration, for one proxy;
    `postgresql://USER@HOST:PORT/NAME` for replicas. Options of libpq (`?sslmode=verify-full`) are
    passed on; a password is not taken here."""
    password_env: VariableName | None = None
    """The variable with PostgreSQL's password."""
    auto_upgrade: bool = False
    """Bring PostgreSQL's tables to this version at start; SQLite's always are."""
    queue_records: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Most records in memory; beyond them they are dropped and counted."""
    queue_bytes: Annotated[int, Field(ge=1024, le=1 << 32)] = 32 << 20
    """Most memory of these records; beyond it they are dropped and counted."""
    batch_records: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Most records of one transaction."""
    flush_s: Seconds = 0.5
    """Seconds between two looks at the queue."""
    timeout_s: Seconds = 10
    """Seconds to connect, to wait for a lock, and for a statement."""
    drain_s: Seconds = 5
    """How many seconds the end of the proxy may wait for the last records."""
    audit: Audit = Audit()
    """Audit rows."""
    capture: Capture = Capture()
    """Captured prompts."""

    @model_validator(mode="after")
    def _url_holds_no_secret(self) -> Self:
        if re.search(r"[?&](password|passfile|sslpassword)=", self.url):
            said = "no secrets here: name the variable that holds it, password_env"
            raise ProblemsError(Problem(("url",), said))
        return self
