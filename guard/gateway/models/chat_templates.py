"""The chat templates of guarded models: how prompts read, and which switches clients may set."""

import logging
from collections.abc import Mapping
from pathlib import Path

from guard.rendering.chat_template import ChatTemplate
from guard.rendering.sandbox import GENERATION
from guard.rendering.template_files import DEFAULT, read_template_files
from guard.settings import Model

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


def read_templates(models: Mapping[str, Model]) -> dict[str, ChatTemplate]:
    """By model name, the templates that its prompts are rendered by, of models whose folder has
    one that can be read. Raises ArtifactError for a folder that is broken."""
    folders = {name: model.path for name, model in models.items() if model.path}
    read = {name: ChatTemplate.read(read_template_files(path)) for name, path in folders.items()}
    return {name: template for name, template in read.items() if template}


def _switches_in(folder: Path | None) -> frozenset[str]:
    templates = read_template_files(folder).templates if folder else {}
    return switches_of(templates[DEFAULT]) if set(templates) == {DEFAULT} else frozenset()


def switches_of(template: str) -> frozenset[str]:
    """The variables that a template reads and nobody else sets."""
    from jinja2 import TemplateError, meta
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols"])
    try:
        read = meta.find_undeclared_variables(environment.parse(GENERATION.sub("", template)))
    except TemplateError as error:
        logger.warning("a chat template cannot be read: %s", error.message)
        return frozenset()
    return frozenset(read) - RESERVED - environment.globals.keys()
