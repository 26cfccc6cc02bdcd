"""The requests that all clients make: one question, one tool, one JSON answer."""

from typing import Literal

from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel, Field

QUESTION = "Where was the author born?"
# A few times the model's context.
ENDLESS = "Tell me more. " * 1000
# Long enough for a model that is held by a schema to spell out a call in single letters.
CALL_TOKENS = 100


class Weather(BaseModel):
    """Look up the weather."""

    city: Literal["Ulm", "Bonn"] = Field(description="where")


def asking(text: str) -> list[ChatCompletionMessageParam]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]
