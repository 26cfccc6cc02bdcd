"""The request body: bytes into one JSON object that has only one reading, or a clear refusal.

First stop of every route. What is accepted is strict RFC 8259 in UTF-8, read by orjson, and what
goes upstream is `serialise` of the parsed object, never the client's bytes, so no later parser can
read another text than the guard did. Decided behaviour (status, `error.code`):

====================================================== ======================================
longer than `max_bytes`                                 413 `request_too_large`
content type other than `application/json`              415 `unsupported_media_type`
(`charset=utf-8` allowed; missing or blank accepted)
content encoding other than `identity`                  415 `unsupported_encoding`
empty, trailing data, BOM, NaN or Infinity,             400 `invalid_json`
invalid UTF-8, lone surrogates (raw or `\\ud800`)
the same key twice in one object, at any depth          400 `invalid_json`, names the place
integer outside -2**63 .. 2**64-1, float beyond double  400 `invalid_json`
nested deeper, or more values or strings, than allowed  400 `invalid_json`
top level not an object                                 400 `invalid_json`
NUL (``\\u0000``) inside a string                        accepted: a character like any other
====================================================== ======================================

Method: a string in JSON ends at the first quote that no backslash escapes, so two replacements and
one split remove all strings and leave the *skeleton* (brackets, commas, colons, numbers). Limits
are counted in it before anything is built. Duplicate keys show as fewer members in the parsed
objects than colons in the skeleton; only then is the body read a second time, to name the place.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from guard.terms.errors import RequestError

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SQUARE = bytes.maketrans(b"{}", b"[]")
_ONE_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_NUMBER = re.compile(rb"[-+.eE0-9]+")
_INTEGER = re.compile(rb"-?[0-9]+")
_NAMEABLE = re.compile(r"[!-~]{1,40}")


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bounds on one request body.

    `max_values` counts objects, arrays and scalars (an empty container counts as two);
    `max_strings` counts keys and string values; `max_depth` is 1 for a flat object, at most 200.
    """

    max_bytes: int = 8 * 1024 * 1024
    max_depth: int = 64
    max_values: int = 250_000
    max_strings: int = 100_000

    def __post_init__(self) -> None:
        if not 1 <= self.max_depth <= 200:
            raise ValueError(f"max_depth must lie in 1..200, not {self.max_depth}")


def parse_body(
    raw: bytes, content_type: str | None = None, limits: BodyLimits | None = None
) -> dict[str, object]:
    """The body's one object, or RequestError; see the module docstring for what is refused."""
    limits = limits or BodyLimits()
    check_content_type(content_type)
    _check_bytes(raw, limits)
    skeleton = _skeleton(raw, limits)
    _check_shape(skeleton, limits)
    _check_numbers(skeleton)
    body = _load(raw)
    if skeleton.count(b":") != _count_members(body, skeleton.count(b"{")):
        raise _invalid(f"the same key appears twice in one object: {_find_duplicate(raw)}")
    return body


def serialise(body: object) -> bytes:
    """The bytes sent upstream: UTF-8 JSON without white space, keys in the object's order."""
    return orjson.dumps(body)


def check_content_type(content_type: str | None) -> None:
    """Raises RequestError (415) unless missing, blank or JSON in UTF-8."""
    if content_type == "application/json":  # what nearly all clients send
        return
    media, *parameters = (content_type or "").lower().split(";")
    charsets = ("charset=utf-8", 'charset="utf-8"', "")
    if not media.strip() and not parameters:
        return
    if media.strip() != "application/json" or any(p.strip() not in charsets for p in parameters):
        raise RequestError(
            "the content type must be application/json in UTF-8",
            status=415,
            code="unsupported_media_type",
        )


def check_encoding(content_encoding: str | None) -> None:
    """Raises RequestError (415) for a compressed body; the guard reads plain bytes only."""
    if content_encoding and content_encoding.strip().lower() not in ("identity", ""):
        raise RequestError(
            "compressed request bodies are not accepted; send the body without content-encoding",
            status=415,
            code="unsupported_encoding",
            headers={"accept-encoding": "identity"},  # RFC 9110, section 15.5.16
        )


def _invalid(message: str) -> RequestError:
    return RequestError(message, code="invalid_json")


def _check_bytes(raw: bytes, limits: BodyLimits) -> None:
    if len(raw) > limits.max_bytes:
        raise RequestError(
            f"the body is longer than {limits.max_bytes} bytes",
            status=413,
            code="request_too_large",
        )
    if not raw.strip():
        raise _invalid("the body is empty; a JSON object is expected")
    if raw.startswith(_BOMS):
        raise _invalid("the body starts with a byte order mark; send UTF-8 without one")


def _skeleton(raw: bytes, limits: BodyLimits) -> bytes:
    """The body without its strings. Exact for valid JSON; orjson refuses the rest later."""
    if b"\\" in raw:
        # A run of backslashes starts at an escape, so pairs from the left are escaped backslashes.
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if raw.count(b'"') > 2 * limits.max_strings:
        raise _invalid(f"the body holds more than {limits.max_strings} strings")
    return b"".join(raw.split(b'"')[::2])


def _check_shape(skeleton: bytes, limits: BodyLimits) -> None:
    opened = skeleton.count(b"[") + skeleton.count(b"{")
    if 1 + skeleton.count(b",") + opened > limits.max_values:
        raise _invalid(f"the body holds more than {limits.max_values} values")
    if opened > limits.max_depth and _deeper(skeleton, limits.max_depth):
        raise _invalid(f"the body is nested deeper than {limits.max_depth} levels")


def _deeper(skeleton: bytes, depth: int) -> bool:
    """Whether brackets are left once the innermost pairs were removed `depth` times."""
    brackets = skeleton.translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return False
    return True


def _check_numbers(skeleton: bytes) -> None:
    if b"NaN" in skeleton or b"Infinity" in skeleton:
        raise _invalid("NaN and Infinity are not JSON")
    zeros = skeleton.translate(_ONE_DIGIT)
    if b"0" * 20 not in zeros and b"-" + b"0" * 19 not in zeros:
        return  # a positive number of 19 digits fits
    for number in _NUMBER.findall(skeleton):
        if _INTEGER.fullmatch(number) and not _fits(number):
            raise _invalid("the body holds an integer that does not fit into 64 bits")


def _fits(integer: bytes) -> bool:
    # The length is looked at first: Python refuses to convert thousands of digits.
    return len(integer) <= 20 and -(2**63) <= int(integer) < 2**64


def _load(raw: bytes) -> dict[str, object]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # Not chained: the error carries the whole body, which must not reach a log.
        reason = str(error)
    else:
        if not isinstance(body, dict):
            raise _invalid("the body must be a JSON object")
        return body
    raise _invalid(f"the body is not valid JSON: {reason}")


def _count_members(body: dict[str, object], objects: int) -> int:
    """Members of all objects in `body`; `objects` (how many there are) saves the walk if one."""
    members = len(body)
    if objects == 1:
        return members
    waiting: list[object] = [body]
    while waiting:
        node = waiting.pop()
        inner = node.values() if isinstance(node, dict) else node
        for value in inner:  # type: ignore[attr-defined]
            kind = type(value)
            if kind is dict:
                members += len(value)
                waiting.append(value)
            elif kind is list:
                waiting.append(value)
    return members


def _find_duplicate(raw: bytes) -> str:
    """Dotted place of the first repeated key; keys that could be prompt text become `?`."""
    tree = json.loads(raw, object_pairs_hook=tuple)  # objects as tuples, arrays as lists
    waiting: list[tuple[str, object]] = [("", tree)]
    while waiting:
        place, node = waiting.pop()
        seen: set[object] = set()
        for key, value in _children(node):
            path = f"{place}.{_name(key)}" if place else _name(key)
            if key in seen:
                return path
            seen.add(key)
            waiting.append((path, value))
    return "?"


def _children(node: object) -> Iterator[tuple[object, object]]:
    if isinstance(node, list):
        yield from enumerate(node)
    elif isinstance(node, tuple):
        yield from node


def _name(key: object) -> str:
    name = str(key)
    return name if _NAMEABLE.fullmatch(name) else "?"
