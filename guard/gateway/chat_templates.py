"""The chat templates of the guarded models: which switches a client may set in them."""

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path

from guard.settings import Model
from guard.terms.errors import ArtifactError

logger = logging.getLogger(__name__)

# What the model server gives to every template, or what holds texts: no client's to set.
RESERVED = frozenset(
    {
        "add_generation_prompt",
        "bos_token",
        "builtin_tools",
        "chat_template",
        "continue_final_message",
        "conversation",
        "custom_tools",
        "date_string",
        "documents",
        "eos_token",
        "functions",
        "image_token",
        "messages",
        "pad_token",
        "python_tools",
        "raise_exception",
        "strftime_now",
        "tokenize",
        "tool_choice",
        "tools",
        "unk_token",
        "xml_tools",
    }
)
# A tag of transformers' own, which marks the assistant's tokens and shows nothing.
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


def read_switches(models: Mapping[str, Model]) -> dict[str, frozenset[str]]:
    """By model name, what may be set in `chat_template_kwargs`: as configured, or as its chat
    template reads it; nothing for a model whose folder has no template that can be read.

    Raises ArtifactError for a folder that is broken.
    """
    return {
        name: frozenset(model.template_switches)
        if model.template_switches is not None
        else _switches_in(model.path)
        for name, model in models.items()
    }


def _switches_in(folder: Path | None) -> frozenset[str]:
    template = _template_in(folder) if folder else None
    return switches_of(template) if template else frozenset()


def _template_in(folder: Path) -> str | None:
    """The text of a folder's chat template; None where it has none, or several by name."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    if not config.is_file():
        return None
    try:
        found = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError(f"{config}: not readable as JSON") from error
    template = found.get("chat_template") if isinstance(found, dict) else None
    return template if isinstance(template, str) else None


def switches_of(template: str) -> frozenset[str]:
    """The variables that a template reads and nobody else sets."""
    from jinja2 import TemplateError, meta
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols"])
    try:
        read = meta.find_undeclared_variables(environment.parse(_GENERATION.sub("", template)))
    except TemplateError as error:
        logger.warning("a chat template cannot be read: %s", error.message)
        return frozenset()
    return frozenset(read) - RESERVED - environment.globals.keys()
