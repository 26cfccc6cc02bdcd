"""A parsed Responses request: the chat call it became, and what its answer must say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire.responses.tools import ToolName


@dataclass(frozen=True, slots=True)
class ResponsesCall(Call):
    """A chat call made of a Responses request.

    `owner` is the name of the API key, `stored` says whether the answer is kept for it; `echo` are
    the fields of the request that the response repeats; `turn` are the chat messages of this
    request alone, without instructions and earlier turns; `tool_names` say what a function of the
    chat call is to the client. `context_tokens` bounds prompt and answer together, `most_tokens`
    the answer; None where nobody said.
    """

    owner: str = ""
    stored: bool = True
    echo: JsonObject = field(default_factory=dict)
    turn: tuple[JsonObject, ...] = ()
    tool_names: Mapping[str, ToolName] = field(default_factory=dict)
    context_tokens: int | None = None
    most_tokens: int | None = None

    def longest_answer(self, prompt_tokens: int | None) -> int | None:
        """How many tokens the answer may have to a prompt of so many, None while not known."""
        left = None
        if self.context_tokens is not None and prompt_tokens is not None:
            left = self.context_tokens - prompt_tokens
        return min((most for most in (left, self.most_tokens) if most is not None), default=None)

    @property
    def previous(self) -> str | None:
        """The id of the response this one continues."""
        value = self.echo.get("previous_response_id")
        return value if isinstance(value, str) else None


def as_responses_call(call: Call) -> ResponsesCall:
    """`call`, which must have been parsed by this protocol."""
    if not isinstance(call, ResponsesCall):
        raise TypeError(f"a call of {call.protocol} given to the Responses protocol")
    return call
