"""What is inspected: a parsed request, and every text and picture in it that the model will see."""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Literal, get_args

from guard.terms.json import JsonObject

Path = tuple[str | int, ...]

Side = Literal["prompt", "answer"]
"""What the model reads, and what it says."""
SIDES: tuple[Side, ...] = get_args(Side)

Modality = Literal["text", "image"]

Author = Literal["developer", "user", "assistant", "third_party", "operator"]
"""Who wrote an item: the application, its user, the model, whoever a tool or document quotes, or
the operator of the guard, who has pinned it."""
AUTHORS: tuple[Author, ...] = get_args(Author)


@dataclass(frozen=True)
class Picture:
    """A decoded picture: `data` are the bytes that go to the model, sides are in pixels."""

    media_type: str
    data: bytes
    width: int
    height: int

    @cached_property
    def digest(self) -> str:
        """SHA-256 of type and bytes."""
        return sha256(self.media_type.encode() + b"\0" + self.data).hexdigest()


Content = str | Picture


@dataclass(frozen=True, slots=True)
class Item:
    """One text or picture of a request, or of its answer.

    `path` leads to it in the upstream body; `role` is the speaker, or the name of the field it
    stands in; `corruptible` texts can be replaced by embeddings, others by texts that say nothing.
    """

    path: Path
    role: str
    content: Content
    corruptible: bool = False
    author: Author = "user"
    side: Side = "prompt"

    @property
    def text(self) -> str:
        """The text; a picture has none."""
        return self.content if isinstance(self.content, str) else ""

    @property
    def picture(self) -> Picture | None:
        """The picture; a text is none."""
        return None if isinstance(self.content, str) else self.content

    @property
    def modality(self) -> Modality:
        """What kind of content it has."""
        return "text" if isinstance(self.content, str) else "image"

    @property
    def param(self) -> str:
        """The path in dotted form, as error messages name it."""
        return ".".join(str(step) for step in self.path)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed its field table, in the shape that goes upstream.

    `body` is owned by the call: whoever changes it works on a copy (`with_body`). `quoted` are the
    indices of messages that say `user` and hold what a tool gave back: a chat template takes
    pictures from users only.
    """

    protocol: str
    upstream_path: str
    body: JsonObject
    model: str
    stream: bool
    items: tuple[Item, ...]
    quoted: frozenset[int] = frozenset()

    def with_body(self, body: JsonObject) -> "Call":
        """The same call with another upstream body."""
        return replace(self, body=body)
