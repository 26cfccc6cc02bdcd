"""Writes docs/reference/configuration.md from the settings' classes.

python -m tests.docs.configuration > docs/reference/configuration.md
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from guard.settings import Settings

INTRODUCTION = """# Configuration

Made by `python -m tests.docs.configuration` from `guard/settings`; do not edit.

One YAML file. Unknown keys are errors. Paths are relative to the file. Secrets are never in it: it
names environment variables. `ECOGUARD_LISTEN_HOST`, `ECOGUARD_LISTEN_PORT`, `ECOGUARD_UPSTREAM_URL`
and `ECOGUARD_KEYS_FILE` override the file. `ecoguard check --config guard.yaml` tells what is wrong
by file, line and key. An example: [deploy/guard.example.yaml](../../deploy/guard.example.yaml); the
JSON Schema, for editors: [deploy/guard.schema.json](../../deploy/guard.schema.json), or
`ecoguard schema`.

`NAME` is a name of yours, `[]` an item of a list. A key without a default is *required* where its
section stands, or (–) not set."""
GUIDES: Mapping[str, str] = {
    "upstream": "[Upstreams](../guides/operate.md#upstreams)",
    "encoder": "[Several processes](../guides/operate.md#several-processes),"
    " [the encoder](../guides/forget.md#1-export-the-encoder-once)",
    "detectors": "[Detectors](../guides/operate.md#detectors),"
    " [of your own](../guides/bring-your-own.md),"
    " [forget requests](../guides/operate.md#forget-requests),"
    " [versions](../guides/operate.md#versions-of-artifacts)",
    "policies": "[Policies](../guides/operate.md#policies), [shadow](../guides/operate.md#shadow)",
    "corruption": "[Kinds](../guides/forget.md#4-choose-the-corruption),"
    " [`embed_all`](../lab/unlearning.md#indistinguishable-answers)",
    "fields": "[Fields](fields.md)",
    "limits": "[What is remembered](screening.md#what-is-remembered),"
    " [several processes](../guides/operate.md#several-processes)",
    "keys": "[Limits of keys](../guides/operate.md#limits-of-keys)",
    "trust": "[Authors](../guides/operate.md#authors)",
    "recognition": "[Authors](../guides/operate.md#authors)",
    "redis": "[Limits of keys](../guides/operate.md#limits-of-keys),"
    " [what replicas share](../guides/operate.md#what-replicas-share)",
    "store": "[Audit and captured prompts](../guides/operate.md#audit-and-captured-prompts)",
    "logs": "[Logs](../guides/operate.md#logs)",
    "tracing": "[Traces](../guides/operate.md#traces)",
}
"""Where a section is explained."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key: its place, which `kind` of section has it, its field, and its JSON Schema."""

    key: str
    kind: str
    field: FieldInfo
    schema: Mapping[str, Any]


def entries(model: type[BaseModel], prefix: str = "", kind: str = "") -> Iterator[Entry]:
    """Every key of the configuration that holds no section, in the order of the classes."""
    schema = model.model_json_schema()
    for name, field in model.model_fields.items():
        sections = list(_sections(field.annotation))
        origin = get_origin(field.annotation)
        step = ".NAME" if origin is dict else "[]" if origin is tuple else ""
        for section in sections:
            own = kind_of(section) if len(sections) > 1 else kind
            yield from entries(section, f"{prefix}{name}{step}.", own)
        if not sections:
            yield Entry(prefix + name, kind, field, _without_null(schema["properties"][name]))


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections(argument)


def kind_of(section: type[BaseModel]) -> str:
    """The value of `kind` by which a section is told from others in its place."""
    return str(get_args(section.model_fields["kind"].annotation)[0])


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def values(schema: Mapping[str, Any]) -> str:
    """What a key may hold, in a few words."""
    if "anyOf" in schema:
        return " or ".join(values(part) for part in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    match schema.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "integer" | "number":
            return _range(schema)
        case "array":
            return f"list of: {values(schema['items'])}"
    return "path" if schema.get("format") == "path" else "text"


def _range(schema: Mapping[str, Any]) -> str:
    words = "integer" if schema["type"] == "integer" else "number"
    if "exclusiveMinimum" in schema:
        words += f" above {schema['exclusiveMinimum']:g}"
    if "minimum" in schema:
        words += f" from {schema['minimum']:g}"
    if "maximum" in schema:
        words += f" to {size(schema['maximum'])}"
    return words


def default(field: FieldInfo) -> str:
    """A default as the table writes it."""
    value = field.default
    if value is PydanticUndefined:
        return "*required*"
    if value is None or value == ():
        return "–"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    if isinstance(value, bool):
        return str(value).lower()
    return size(value) if isinstance(value, int) else str(value)


def size(value: float) -> str:
    """A number; whole mebibytes and gibibytes as such."""
    for unit, bits in (("GiB", 30), ("MiB", 20)):
        if isinstance(value, int) and value >= 1 << bits and value % (1 << bits) == 0:
            return f"{value >> bits} {unit}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def page() -> Iterator[str]:
    """The page, line by line."""
    yield INTRODUCTION
    found = list(entries(Settings))
    for name, field in Settings.model_fields.items():
        own = [entry for entry in found if entry.key.split(".")[0].removesuffix("[]") == name]
        guide = f" {GUIDES[name]}." if name in GUIDES else ""
        yield f"\n## `{name}`\n\n{one_line(field.description)}{guide}"
        for kind in dict.fromkeys(entry.kind for entry in own):
            if kind:
                yield f"\nOf kind `{kind}`:"
            yield from table([entry for entry in own if entry.kind == kind])


def table(found: list[Entry]) -> Iterator[str]:
    """A table of keys."""
    yield "\n| key | values | default | meaning |\n|---|---|---|---|"
    for entry in found:
        meaning = one_line(entry.field.description).replace("|", r"\|")
        cells = (f"`{entry.key}`", values(entry.schema), default(entry.field), meaning)
        yield f"| {' | '.join(cells)} |"


def one_line(text: str | None) -> str:
    """A description without its line breaks."""
    return " ".join((text or "").split())


def text() -> str:
    """The whole page."""
    return "\n".join(page()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
