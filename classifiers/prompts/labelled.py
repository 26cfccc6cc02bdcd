"""A prompt with what detection knows of it: its source, its label if any, and who sent it."""

from dataclasses import dataclass
from typing import Literal

Label = Literal["malicious", "benign", "unknown"]


@dataclass(frozen=True, slots=True)
class LabelledPrompt:
    """One prompt of a set or of captured traffic.

    Everything that is held out is held out by `source`; `kind` names an attack or prompt family;
    `client` is an opaque id of the key that sent it ("" where unknown), for quotas and voting.
    `turns` are what the user said in each turn of a conversation, which `text` joins; a prompt of
    one turn has none.
    """

    text: str
    source: str
    label: Label = "unknown"
    kind: str = ""
    client: str = ""
    turns: tuple[str, ...] = ()
