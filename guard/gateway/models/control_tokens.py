"""What becomes of a model's special tokens in callers' texts, by the operator's choice."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from guard.gateway.models.model_tokenizers import ModelTokenizer
from guard.observability.metrics import Metrics
from guard.rendering.control_tokens import ControlTokens
from guard.settings import Settings
from guard.terms.entry import Entry
from guard.terms.errors import RequestError
from guard.terms.item import Call, Item

MOST_AT_ONCE = 200_000
"""Characters that are looked through on the event loop; more of them in a thread."""
Choice = Literal["neutralise", "refuse", "allow"]
DONE: Mapping[Choice, str] = {
    "neutralise": "neutralised",
    "refuse": "refused",
    "allow": "allowed",
}
"""How header, metric and audit name what was done."""


@dataclass(frozen=True, slots=True)
class ControlTokenRule:
    """The choice, and the tokens of the models whose tokenizer is known."""

    choice: Choice
    tokens: Mapping[str, ControlTokens]
    metrics: Metrics

    @classmethod
    def build(
        cls, settings: Settings, tokenizers: Mapping[str, ModelTokenizer], metrics: Metrics
    ) -> "ControlTokenRule":
        """The settings' rule."""
        tokens = {name: ControlTokens(each.special_tokens) for name, each in tokenizers.items()}
        return cls(settings.fields.control_tokens, tokens, metrics)

    async def applied(self, call: Call, entry: Entry | None = None) -> Call:
        """The call as it goes on, noted in the entry of one that is traffic; RequestError where
        it is refused."""
        tokens = self.tokens.get(call.model)
        if tokens is None:
            return call
        if sum(len(item.text) for item in call.items) > MOST_AT_ONCE:
            first, neutral = await asyncio.to_thread(self._looked, tokens, call)
        else:
            first, neutral = self._looked(tokens, call)
        if first is None:
            return neutral
        if entry:
            entry.control_tokens = DONE[self.choice]
            self.metrics.control_tokens.labels(entry.control_tokens).inc()
        if self.choice == "refuse":
            raise _refusal(call, first)
        return neutral

    def _looked(self, tokens: ControlTokens, call: Call) -> tuple[Item | None, Call]:
        """The first item that holds some, and the call as it may go on."""
        first = next(tokens.found(call), None)
        # What has no items is only counted: as the model would be given it.
        changes = self.choice == "neutralise" and (first or not call.items)
        return first, tokens.neutral(call) if changes else call


def _refusal(call: Call, item: Item) -> RequestError:
    """Named by its place in the request as it came, as far as that is known."""
    place = item.param if call.protocol == "chat" else str(item.path[0])
    if call.protocol == "responses" and place == "messages":
        place = "input"
    return RequestError(
        f"'{place}' holds a control token of the model", param=place, code="control_tokens"
    )
