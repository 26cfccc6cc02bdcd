"""The page of the configuration: how values and defaults are written."""

from typing import Any

import pytest
from pydantic.fields import FieldInfo

from guard.settings import Settings
from tests.docs.configuration import default, entries, one_line, values


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "boolean"}, "`true`, `false`"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"const": "a"}, "`a`"),
        ({"type": "integer", "minimum": 1, "maximum": 64}, "integer from 1 to 64"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1 << 30}, "number above 0 to 1 GiB"),
        ({"type": "array", "items": {"type": "string"}}, "list of: text"),
        ({"type": "string", "format": "path"}, "path"),
        ({"anyOf": [{"type": "number"}, {"const": "x"}]}, "number or `x`"),
    ],
)
def test_values(schema: dict[str, Any], written: str) -> None:
    assert values(schema) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        ((), "–"),
        (False, "false"),
        (frozenset({"b", "a"}), "a, b"),
        (32 << 20, "32 MiB"),
        (0.01, "0.01"),
        (200_000, "200000"),
    ],
)
def test_defaults(value: object, written: str) -> None:
    assert default(FieldInfo(default=value)) == written


def test_a_key_without_a_default_is_required() -> None:
    assert default(FieldInfo()) == "*required*"


def test_kinds_in_one_place_are_told_apart() -> None:
    kinds = {e.kind for e in entries(Settings) if e.key == "detectors.NAME.path"}
    assert kinds == {"artifact", "forget-requests", "remote", "verbatim"}


def test_a_description_is_one_line() -> None:
    assert one_line("a\n b") == "a b"
