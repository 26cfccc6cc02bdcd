"""The section `store`: audit rows and captured prompts."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from guard.settings.sections import Name, Seconds, Section, VariableName

SQLITE = "sqlite:///"
Days = Annotated[int, Field(ge=1, le=3650)]
# A password in the URL would be a secret in the file: the pattern leaves no place for one.
StoreUrl = Annotated[
    str,
    Field(pattern=r"^(sqlite:///[^?#]+|postgresql://([^/?#@:]+@)?[^/?#@]*/[^/?#]+(\?[^#]*)?)$"),
]
DottedPath = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class Audit(Section):
    """One row for each answered request, without any of its text."""

    enabled: bool = True
    retention_days: Days = 90


class Capture(Section):
    """Prompts kept for training without labels; off unless enabled."""

    enabled: bool = False
    rate: Annotated[float, Field(gt=0, le=1)] = 0.01
    daily_prompts_per_key: Annotated[int, Field(ge=1)] = 1000
    prompt_bytes: Annotated[int, Field(ge=1, le=4 << 20)] = 65536
    retention_days: Days = 30
    exclude_keys: tuple[Name, ...] = ()
    encryption_key_env: VariableName | None = None
    redaction: Literal["built_in", "none"] = "built_in"
    redaction_hook: DottedPath | None = None


class Store(Section):
    """Where records go, and how many may wait in memory."""

    url: StoreUrl = "sqlite:///traffic.db"
    password_env: VariableName | None = None
    auto_upgrade: bool = False
    queue_records: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    queue_bytes: Annotated[int, Field(ge=1024, le=1 << 32)] = 32 << 20
    batch_records: Annotated[int, Field(ge=1, le=10_000)] = 100
    flush_s: Seconds = 0.5
    timeout_s: Seconds = 10
    drain_s: Seconds = 5
    audit: Audit = Audit()
    capture: Capture = Capture()

    @model_validator(mode="after")
    def _url_holds_no_secret(self) -> Self:
        if re.search(r"[?&](password|passfile|sslpassword)=", self.url):
            raise ValueError("url: no secrets here: name the variable that holds it, password_env")
        return self

    def anchored(self, folder: Path) -> Self:
        """The section with a relative SQLite file made absolute against `folder`."""
        if not self.url.startswith(SQLITE):
            return self
        file = folder / self.url.removeprefix(SQLITE)
        return self.model_copy(update={"url": f"{SQLITE}{file}"})
