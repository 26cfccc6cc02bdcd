"""Texts in JSON values, and values put in their places."""

from collections.abc import Iterator

from guard.terms.item import Item, Path
from guard.terms.json import JsonObject
from guard.wire.authors import authored

# Strings at least this long inside schemas, tools and the like are screened by themselves too,
# so that harmless neighbours cannot dilute them.
LONG_STRING = 40


def strings(value: object) -> Iterator[str]:
    """Every string and number inside a JSON value, keys included, in document order.

    A template writes numbers out as text, so they can spell one (as character codes, say).
    """
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, int | float) and not isinstance(node, bool):
            yield str(node)
        elif isinstance(node, dict):  # not Mapping: asking an abstract class takes microseconds
            for key, inner in reversed(list(node.items())):
                stack.append(inner)
                stack.append(key)
        elif isinstance(node, list):
            stack.extend(reversed(node))


def field_items(value: object, path: Path, role: str) -> list[Item]:
    """Spans of a field that holds text in any nesting: all of it joined, and each long string."""
    found = [text for text in strings(value) if text.strip()]
    if not found:
        return []
    items = [authored(path, role, "\n".join(found))]
    if len(found) > 1:
        items += [authored(path, role, text) for text in found if len(text) >= LONG_STRING]
    return items


def replace_at(body: JsonObject, path: Path, new: object) -> JsonObject:
    """A copy of `body` with the item at `path` replaced; untouched branches are shared."""
    step, rest = str(path[0]), path[1:]
    return {**body, step: _replaced(body[step], rest, new)}


def value_at(body: JsonObject, path: Path) -> object:
    """What stands at `path`."""
    value: object = body
    for step in path:
        if isinstance(value, dict):
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
        else:
            raise KeyError(step)
    return value


def without(body: JsonObject, path: Path) -> JsonObject:
    """A copy of `body` that lacks the key at `path`."""
    *above, last = path
    if not above:
        return {name: value for name, value in body.items() if name != last}
    holder = value_at(body, tuple(above))
    kept = {k: v for k, v in holder.items() if k != last} if isinstance(holder, dict) else holder
    return replace_at(body, tuple(above), kept)


def _replaced(value: object, path: Path, new: object) -> object:
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, step: _replaced(value[step], rest, new)}
    if isinstance(value, list) and isinstance(step, int):
        return [*value[:step], _replaced(value[step], rest, new), *value[step + 1 :]]
    raise KeyError(step)
