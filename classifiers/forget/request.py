"""A forget request on disk: a folder that an operator can review.

request.yaml     who asks for what to be forgotten (`ForgetRequest`)
forget.jsonl     prompts that ask for it
retain.jsonl     prompts that must still be answered (optional)
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from classifiers.prompts.files import Prompt, read_prompts
from guard.detectors.names.phrases import fold
from guard.settings.document import Document
from guard.settings.problems import explain
from guard.terms.errors import ConfigError

REQUEST, FORGET, RETAIN = "request.yaml", "forget.jsonl", "retain.jsonl"


def _recognisable(name: str) -> str:
    if len(fold(name)) < 2:
        raise ValueError("a name needs at least two letters")
    return name


Name = Annotated[str, Field(max_length=200), AfterValidator(_recognisable)]
Line = Annotated[str, Field(min_length=1, max_length=2000)]


class ForgetRequest(BaseModel):
    """What `request.yaml` says.

    `names` and `aliases` are matched as whole words: each must by itself point to what is to be
    forgotten, so a common first name does not belong there. `nicknames` are first names and the
    like that count alone unless another capitalised word makes them somebody else's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Line
    contact: Line
    scope: Line | None = None
    names: tuple[Name, ...] = ()
    aliases: tuple[Name, ...] = ()
    nicknames: tuple[Name, ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """Names and aliases, each once."""
        return tuple(dict.fromkeys((*self.names, *self.aliases)))


def read_request(folder: Path) -> ForgetRequest:
    """The folder's `request.yaml`; ConfigError names file, line and key."""
    document = Document.read(folder / REQUEST)
    try:
        return ForgetRequest.model_validate(document.mapping())
    except ValidationError as error:
        raise ConfigError(explain(error, ForgetRequest, document)) from error


def read_forget_prompts(folder: Path) -> list[Prompt]:
    """The prompts to forget."""
    return read_prompts(folder / FORGET)


def read_retain_prompts(folder: Path, more: tuple[Path, ...] = ()) -> list[Prompt]:
    """The folder's own retain prompts, if it has any, and those of further files."""
    own = folder / RETAIN
    files = ([own] if own.exists() else []) + list(more)
    return [prompt for file in files for prompt in read_prompts(file)]
