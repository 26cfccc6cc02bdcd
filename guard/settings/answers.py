"""The section `answers`: how answers are held back that policies judge."""

from typing import Annotated

import orjson
from pydantic import AfterValidator, Field

from guard.settings.sections import Section


def _is_json(text: str) -> str:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("is no JSON") from None
    return text


class Answers(Section):
    """How answers are held back that policies with `side: answer` judge."""

    window: Annotated[int, Field(ge=50, le=20_000)] = 200
    """Characters that were judged behind a text before it is released, unless a sentence ends
    earlier; in mode `tail`, the most characters that are released before their verdict."""
    held_bytes: Annotated[int, Field(ge=64 << 10, le=1 << 30)] = 8 << 20
    """Most bytes of one answer's events that wait for a verdict; beyond them the answer ends with
    an error."""
    structured: Annotated[str, AfterValidator(_is_json)] | None = None
    """The JSON text that is sent in place of a stopped answer where the client asked for JSON;
    without it, no text."""
