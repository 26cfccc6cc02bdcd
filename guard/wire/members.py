"""Typed access to the members of request objects; errors name the client's own field.

`prefix` is the dotted path of the object with its last dot (`input.0.`), empty at the top.
"""

from collections.abc import Collection, Mapping

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject

Members = Mapping[str, object]


def wrong(param: str, expected: str) -> RequestError:
    """The error for a field that is not what it must be."""
    return RequestError(f"'{param}' must be {expected}", param=param)


def unavailable(param: str, what: str) -> RequestError:
    """The error for something the protocol knows and this endpoint does not offer."""
    return RequestError(
        f"'{param}': {what} is not available on this endpoint", param=param, code="field_refused"
    )


def media_refused(param: str, *, picture: bool = False) -> RequestError:
    """The error for a part that nothing here can judge."""
    said = (
        "pictures are not accepted here (images.enabled is not set)"
        if picture
        else "audio and video cannot be screened and are not accepted here"
    )
    return RequestError(f"'{param}': {said}", param=param, code="media_refused")


def as_record(value: object, param: str) -> JsonObject:
    """`value` if it is an object."""
    if not isinstance(value, dict):
        raise wrong(param, "an object")
    return value


def require_string(item: Members, name: str, prefix: str = "") -> str:
    """A string that must be there."""
    value = item.get(name)
    if not isinstance(value, str):
        raise wrong(prefix + name, "a string")
    return value


def optional_string(item: Members, name: str, prefix: str = "") -> str | None:
    """A string, None when absent."""
    return None if item.get(name) is None else require_string(item, name, prefix)


def optional_record(item: Members, name: str, prefix: str = "") -> JsonObject:
    """An object, empty when absent."""
    value = item.get(name)
    return {} if value is None else as_record(value, prefix + name)


def optional_list(item: Members, name: str, prefix: str = "") -> list[object]:
    """A list, empty when absent."""
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(prefix + name, "a list")
    return value


def optional_flag(item: Members, name: str, prefix: str = "") -> bool | None:
    """True or false, None when absent."""
    value = item.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise wrong(prefix + name, "true or false")


def optional_count(item: Members, name: str, prefix: str = "", least: int = 0) -> int | None:
    """An integer of at least `least`, None when absent."""
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise wrong(prefix + name, f"an integer of at least {least}")
    return value


def optional_word(item: Members, name: str, words: Collection[str], prefix: str = "") -> str | None:
    """One of `words`, None when absent."""
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or value not in words:
        raise wrong(prefix + name, f"one of {', '.join(sorted(words))}")
    return value
