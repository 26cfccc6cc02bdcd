"""Presets of guard models: their words, their template and where the verdict stands, as data.

`presets.yaml` beside this module holds those that ship; an operator's own file holds one.
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, TypeAdapter, ValidationError, model_validator

from guard.settings import Section
from guard.settings.document import Document
from guard.settings.problems import Problem, ProblemsError, explain, suggestion
from guard.terms.errors import ConfigError
from guard.terms.item import Side

SHIPPED = "presets.yaml"
_PLACE = re.compile(r"\{(text|question)\}")

Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Message(Section):
    """One message of a template; `{text}` is what is judged, `{question}` what it answers."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """What is said, with the places."""


ALONE = (Message(role="user", content="{text}"),)
ANSWERED = (
    Message(role="user", content="{question}"),
    Message(role="assistant", content="{text}"),
)


class Preset(Section):
    """How one family of guard models is asked for a verdict, and where it stands."""

    models: tuple[str, ...] = ()
    """The models that it was written for."""
    licence: str = ""
    """The licence of their weights."""
    source: str = ""
    """Where template and words are described."""
    sides: Annotated[frozenset[Side], Field(min_length=1)] = frozenset({"prompt", "answer"})
    """What the model judges."""
    route: Literal["chat", "completions"] = "chat"
    """The server's route; `completions` for a model without a chat template."""
    unsafe: Words
    """First words of a bad verdict: all their first tokens are counted."""
    safe: Words
    """First words of a good one."""
    after: str = ""
    """What the model writes before the verdict, white space aside; a verdict elsewhere is none."""
    prefix: str = ""
    """In its place: what is put into the model's mouth, so that the verdict is the first token."""
    within: Annotated[int, Field(ge=1, le=64)] = 1
    """Tokens in which the verdict must come."""
    prompt: tuple[Message, ...] = ALONE
    """The messages by which a prompt is judged; of `completions` one, whose content is sent."""
    answer: tuple[Message, ...] = ANSWERED
    """Those by which an answer is judged."""
    conversation: bool = False
    """Whether earlier turns may stand before the one that is judged."""
    template_kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    """What the model's chat template is given beside messages."""
    markers: tuple[str, ...] = ()
    """Words of the template that a text must not be able to say: they are broken up in it."""

    @model_validator(mode="after")
    def _is_meaningful(self) -> Self:
        if both := sorted({*self.unsafe} & {*self.safe}):
            raise ProblemsError(Problem(("safe",), f"'{both[0]}' is a word of both verdicts"))
        if self.prefix and self.after:
            said = "what is put into the model's mouth it does not write"
            raise ProblemsError(Problem(("after",), said, ("prefix",)))
        for key in ("prompt", "answer"):
            if not any("{text}" in message.content for message in getattr(self, key)):
                raise ProblemsError(Problem((key,), "no message holds {text}"))
        if self.route == "completions" and {len(self.prompt), len(self.answer)} != {1}:
            raise ProblemsError(Problem(("route",), "completions take one message"))
        return self

    def filled(self, message: Message, text: str, question: str) -> str:
        """A message with the places filled; neither text can say a word of the template."""
        said = {"text": self.broken(text), "question": self.broken(question)}
        return _PLACE.sub(lambda place: said[place[1]], message.content)

    def broken(self, text: str) -> str:
        """The text, unable to say a word of the template."""
        for marker in self.markers:
            text = text.replace(marker, f"{marker[0]} {marker[1:]}")
        return text


def shipped_presets() -> Mapping[str, Preset]:
    """The presets of the package, by name."""
    content = files(__package__).joinpath(SHIPPED).read_text(encoding="utf-8")
    document = Document(Path(SHIPPED), content)
    return TypeAdapter(dict[str, Preset]).validate_python(document.mapping())


def shipped_preset(name: str) -> Preset:
    """A preset by its name; ConfigError where there is none of that name."""
    known = shipped_presets()
    if name not in known:
        said = f"no preset '{name}'{suggestion(name, known)}"
        raise ConfigError(f"{said} (known: {', '.join(sorted(known))})")
    return known[name]


def read_preset(file: Path) -> Preset:
    """The preset in an operator's file; ConfigError with file, line and key of what is wrong."""
    document = Document.read(file)
    try:
        return Preset.model_validate(document.mapping())
    except ValidationError as error:
        raise ConfigError(explain(error, Preset, document)) from error


def preset_of_words(unsafe: Sequence[str], safe: Sequence[str]) -> Preset:
    """The preset of a model whose first token is one of these words."""
    return Preset(unsafe=tuple(unsafe), safe=tuple(safe))
