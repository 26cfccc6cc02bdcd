"""The structure of five families' chat templates, in few lines of our own: what they put where."""

from pathlib import Path

from guard.rendering.chat_template import ChatTemplate
from guard.rendering.template_files import DEFAULT, TemplateFiles

FAMILIES = ("gemma", "gpt_oss", "llama3", "mistral", "qwen3")
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def read(source: str, **others: str) -> ChatTemplate | None:
    """A template of this text, with others by their names."""
    return ChatTemplate.read(TemplateFiles({DEFAULT: source, **others}, TOKENS))


def source_of(family: str) -> str:
    return Path(__file__).with_name(f"{family}.jinja").read_text(encoding="utf-8")


def family_template(family: str) -> ChatTemplate:
    """One of the five."""
    template = read(source_of(family))
    assert template is not None
    return template
