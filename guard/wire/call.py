"""A parsed request: the body that will go upstream and every text in it that the model will see."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from guard.wire.fields import JsonObject

Path = tuple[str | int, ...]

# Strings at least this long inside schemas, tools and the like are screened by themselves too,
# so that harmless neighbours cannot dilute them.
LONG_STRING = 40


@dataclass(frozen=True, slots=True)
class TextSpan:
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
    spans: tuple[TextSpan, ...]

    def with_body(self, body: JsonObject) -> "Call":
        """The same call with another upstream body."""
        return replace(self, body=body)


def strings(value: object) -> Iterator[str]:
    """Every string and number inside a JSON value, keys included, in document order.

    A template writes numbers out as text, so they can spell one (as character codes, say).
    """
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield str(item)
        elif isinstance(item, dict):  # not Mapping: asking an abstract class takes microseconds
            for key, inner in reversed(list(item.items())):
                stack.append(inner)
                stack.append(key)
        elif isinstance(item, list):
            stack.extend(reversed(item))


def field_spans(value: object, path: Path, role: str) -> list[TextSpan]:
    """Spans of a field that holds text in any nesting: all of it joined, and each long string."""
    found = [text for text in strings(value) if text.strip()]
    if not found:
        return []
    spans = [TextSpan(path, role, "\n".join(found))]
    if len(found) > 1:
        spans += [TextSpan(path, role, text) for text in found if len(text) >= LONG_STRING]
    return spans


def replace_at(body: JsonObject, path: Path, new: object) -> JsonObject:
    """A copy of `body` with the item at `path` replaced; untouched branches are shared."""
    step, rest = str(path[0]), path[1:]
    return {**body, step: _replaced(body[step], rest, new)}


def _replaced(value: object, path: Path, new: object) -> object:
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, step: _replaced(value[step], rest, new)}
    if isinstance(value, list) and isinstance(step, int):
        return [*value[:step], _replaced(value[step], rest, new), *value[step + 1 :]]
    raise KeyError(step)
