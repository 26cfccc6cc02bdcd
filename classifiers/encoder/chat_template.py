"""What a model's chat template puts around a user's turn, as two texts.

A pooling encoder's artifact keeps them, so that training and serving give a model the same tokens
and a prompt's feature is that of the template's last token (VLMGuard, arXiv 2410.00296).
"""

from dataclasses import dataclass
from pathlib import Path

from guard.encoders.tokenizer import TOKENIZER
from guard.terms.errors import ConfigError

MARK = "\ufdd0turn\ufdd0"
"""Stands for the user's words; its ends are no characters, so no template holds it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and behind a text; `special_tokens` are then added by the tokenizer."""

    prefix: str
    suffix: str
    special_tokens: bool


@dataclass(frozen=True, slots=True)
class ModelTokenizer:
    """A model's tokenizer, as the bytes of its tokenizer.json, and its frame."""

    content: bytes
    frame: Frame


def read_model_tokenizer(folder: Path) -> ModelTokenizer:
    """From a Hugging Face model folder; ConfigError names the folder and what is wrong with it.

    A model without a chat template reads the plain text, with the tokens that its tokenizer adds.
    """
    from transformers import AutoTokenizer

    if not (folder / TOKENIZER).is_file():
        raise ConfigError(f"{folder / TOKENIZER}: No such file")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # of many libraries
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.200}"
        raise ConfigError(f"{folder}: not a readable tokenizer ({reason})") from error
    return ModelTokenizer((folder / TOKENIZER).read_bytes(), _frame(folder, tokenizer))


def _frame(folder: Path, tokenizer: object) -> Frame:
    if not getattr(tokenizer, "chat_template", None):
        return Frame("", "", True)
    turn = [{"role": "user", "content": MARK}]
    try:
        shown: str = tokenizer.apply_chat_template(  # type: ignore[attr-defined]
            turn, tokenize=False, add_generation_prompt=True
        )
    except Exception as error:  # jinja's, and whatever a template raises
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.200}"
        raise ConfigError(f"{folder}: chat_template: {reason}") from error
    if shown.count(MARK) != 1:
        raise ConfigError(f"{folder}: chat_template: does not show a user's turn once, as it is")
    prefix, _, suffix = shown.partition(MARK)
    return Frame(prefix, suffix, False)
