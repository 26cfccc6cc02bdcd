"""The chat templates in a model's folder, and the special tokens that they are given."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from guard.terms.errors import ArtifactError

DEFAULT = "default"
WITH_TOOLS = "tool_use"
"""The template of a folder with several that is used where a request has tools."""
TOKENS = ("bos_token", "eos_token", "pad_token", "unk_token")


@dataclass(frozen=True, slots=True)
class TemplateFiles:
    """The texts of a folder's templates by name, and its special tokens by theirs."""

    templates: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)


def read_template_files(folder: Path) -> TemplateFiles:
    """What the folder has, in the order in which the model server looks; ArtifactError for a
    configuration that is no JSON."""
    config = _config(folder / "tokenizer_config.json")
    tokens = {name: text for name in TOKENS if (text := _token(config.get(name))) is not None}
    file = folder / "chat_template.jinja"
    if file.is_file():
        return TemplateFiles({DEFAULT: file.read_text(encoding="utf-8")}, tokens)
    return TemplateFiles(_by_name(config.get("chat_template")), tokens)


def _config(file: Path) -> dict[str, object]:
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError(f"{file}: not readable as JSON") from error
    return found if isinstance(found, dict) else {}


def _token(value: object) -> str | None:
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else None


def _by_name(value: object) -> dict[str, str]:
    if isinstance(value, str):
        return {DEFAULT: value}
    named = value if isinstance(value, list) else ()
    return {
        str(one["name"]): one["template"]
        for one in named
        if isinstance(one, dict) and isinstance(one.get("template"), str) and "name" in one
    }
