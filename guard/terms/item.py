"""What is inspected: a parsed request, and every text in it that the model will see."""

from dataclasses import dataclass, replace

from guard.terms.json import JsonObject

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One text of a request.

    `path` leads to it in the upstream body; `role` is the speaker, or the name of the field it
    stands in; `corruptible` texts can be replaced by embeddings, others can only be blocked.
    """

    path: Path
    role: str
    text: str
    corruptible: bool = False

    @property
    def param(self) -> str:
        """The path in dotted form, as error messages name it."""
        return ".".join(str(step) for step in self.path)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed its field table, in the shape that goes upstream.

    `body` is owned by the call: whoever changes it works on a copy (`with_body`).
    """

    protocol: str
    upstream_path: str
    body: JsonObject
    model: str
    stream: bool
    items: tuple[Item, ...]

    def with_body(self, body: JsonObject) -> "Call":
        """The same call with another upstream body."""
        return replace(self, body=body)
