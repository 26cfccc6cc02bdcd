"""The sections `logs` and `tracing`: what the operator sees of running requests."""

from typing import Literal

from guard.settings.sections import Section


class Logs(Section):
    """The form of the log on standard error, and whether each answered request has a line."""

    format: Literal["text", "json"] = "text"
    access: bool = False
