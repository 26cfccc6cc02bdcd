"""What the traffic store keeps: audit records without text, captured prompts with it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from guard.terms.entry import Cut
from guard.terms.verdict import Finding


@dataclass(frozen=True, slots=True)
class Message:
    """One text of a prompt, and who says it (or the field it stands in)."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class CapturedPrompt:
    """One client's prompt as it was stored: redacted, in the order of its texts.

    `client` is an opaque id, the same for all prompts of one API key; `time` has a time zone (UTC).
    """

    messages: tuple[Message, ...]
    client: str
    time: datetime

    @property
    def text(self) -> str:
        """All texts, one below the other."""
        return "\n".join(message.content for message in self.messages)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One answered request: what was decided and why, never what was asked.

    `time` is seconds since 1970, `latency_s` from the whole request body to the answer's end;
    token counts are the model server's, where it sent them; `artifacts` are SHA-256 digests of
    the manifests in service, by detector; `verdicts` are the verdicts' words, by side; `cuts` are
    the earlier turns that a chat went on without; `control_tokens` says what was done with special
    tokens of the model in its texts, "" for none.
    """

    time: float
    request_id: str
    key: str
    route: str
    model: str
    action: str
    status: int
    latency_s: float
    findings: tuple[Finding, ...] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()
    control_tokens: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    kind = "audit"

    @property
    def size(self) -> int:
        """Bytes of memory, roughly."""
        cut = sum(len(cut.findings) for cut in self.cuts)
        return 600 + 200 * (len(self.findings) + cut)


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """A sampled prompt on its way to the store: not redacted yet, so it stays in memory."""

    time: float
    key: str
    messages: tuple[Message, ...]

    kind = "prompt"

    @property
    def size(self) -> int:
        """Bytes of memory, roughly."""
        texts = sum(sys.getsizeof(message.content) for message in self.messages)
        return 300 + 100 * len(self.messages) + texts


Record = AuditRecord | PromptRecord


class StoreFault(Exception):  # noqa: N818 - not an error of the request's
    """A write failed; `reason` is `dead`, `disk` or `invalid` (this batch, whatever the store)."""

    def __init__(self, reason: str, cause: str) -> None:
        super().__init__(f"{reason}: {cause}")
        self.reason = reason
