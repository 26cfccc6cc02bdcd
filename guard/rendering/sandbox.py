"""Chat templates run in jinja2's sandbox, within bounds of time, steps and output.

A template is the operator's, out of the model's folder, but the conversation that it loops over is
anybody's. What runs over a bound has failed, as has one that raises.
"""

import json
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from jinja2 import Template

MOST_SECONDS = 0.25
MOST_STEPS = 1_000_000
"""Looks into variables, and calls."""
MOST_OUTPUT = 4_000_000
"""Characters."""
CLOCK_STEPS = 256
# A tag of transformers' own, which marks the assistant's tokens and shows nothing.
GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


class ChatTemplateError(Exception):
    """A template that cannot be read, that refuses a conversation, or that runs over a bound."""


class SandboxedTemplate:
    """A compiled template; may be rendered by several threads at a time."""

    def __init__(self, source: str) -> None:
        self._source = GENERATION.sub("", source)

    def check(self) -> None:
        """ChatTemplateError for a template that is none."""
        self._compiled  # noqa: B018

    def render(self, variables: Mapping[str, object]) -> str:
        """What the template makes of them; raises ChatTemplateError."""
        template = self._compiled
        meter = getattr(template.environment, "meter")  # noqa: B009
        meter.start()
        parts: list[str] = []
        try:
            for part in template.generate(**variables):
                meter.write(len(part))
                parts.append(part)
        except Exception as error:  # a template raises whatever its expressions do
            raise ChatTemplateError(str(error)) from error
        return "".join(parts)

    @cached_property
    def _compiled(self) -> "Template":
        from jinja2 import TemplateError

        try:
            template: Template = _environment().from_string(self._source)
            return template
        except (TemplateError, RecursionError) as error:
            raise ChatTemplateError(str(error)) from error


class _Meter(threading.local):
    """What one thread's rendering has used."""

    def start(self) -> None:
        self._steps = self._written = 0
        self._until = perf_counter() + MOST_SECONDS

    def step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise ChatTemplateError("too many steps")
        if self._steps % CLOCK_STEPS == 0 and perf_counter() > self._until:
            raise ChatTemplateError("too slow")

    def write(self, characters: int) -> None:
        self._written += characters
        if self._written > MOST_OUTPUT:
            raise ChatTemplateError("too long")
        self.step()


def _environment() -> Any:
    """As the model server's, but for the bounds."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        meter = _Meter()

        def getattr(self, obj: Any, attribute: str) -> Any:
            self.meter.step()
            return super().getattr(obj, attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            self.meter.step()
            return super().getitem(obj, argument)

        def call(self, *args: Any, **kwargs: Any) -> Any:
            self.meter.step()
            return super().call(*args, **kwargs)

    made = Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    made.filters["tojson"] = _to_json
    made.globals["raise_exception"] = _refuse
    made.globals["strftime_now"] = lambda form: datetime.now().astimezone().strftime(form)
    return made


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _refuse(message: object) -> NoReturn:
    raise ChatTemplateError(str(message))
