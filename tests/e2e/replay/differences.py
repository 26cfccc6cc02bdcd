"""What a client may find different behind the proxy, and why; the replayed answers hold no more."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

RESPONSES = "/v1/responses"
Found = Mapping[str, tuple[object, object]]
"""By place, without indices, what vLLM says and what the proxy says; None for nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One known difference: where, what it is, and its reason, as the documentation has them.

    In `places` a star stands for anything; `values`, where given, are the only ones that are meant.
    """

    route: str
    places: tuple[str, ...]
    what: str
    reason: str
    values: tuple[object, object] | None = None

    def explains(self, route: str, place: str, values: tuple[object, object]) -> bool:
        """Whether this is the one that was found at `place`."""
        if route != self.route or self.values not in (None, values):
            return False
        return any(re.fullmatch(_pattern(each), place) for each in self.places)


def _pattern(place: str) -> str:
    return ".*".join(map(re.escape, place.split("*")))


DIFFERENCES = (
    Difference(
        RESPONSES,
        ("*completed_at", "*store"),
        "`completed_at` and `store` are there",
        "The proxy keeps the answers, not vLLM, and tells what OpenAI's protocol tells of that.",
    ),
    Difference(
        RESPONSES,
        ("*usage.*_per_turn", "*usage.output_tokens_details.tool_output_tokens"),
        "`usage` has no `…_per_turn` and no `tool_output_tokens`",
        "They count the turns of tools that run inside vLLM; the chat route, to which the proxy"
        " sends these requests, has neither.",
    ),
    Difference(
        RESPONSES,
        (
            "*usage.input_tokens_details.cached_tokens",
            "*usage.input_tokens_details.cache_write_tokens",
        ),
        "`cached_tokens` and `cache_write_tokens` are 0",
        "vLLM's chat route tells them only with `--enable-prompt-tokens-details`.",
    ),
    Difference(
        RESPONSES,
        ("*text.format.*",),
        "no `text.format` where a tool must be called",
        "vLLM tells the schema that it makes for itself from the tools; the client sent none.",
    ),
    Difference(
        RESPONSES,
        ("order[]", "last.end.type"),
        "a stream that was cut ends with `response.incomplete`",
        "So OpenAI's protocol has it. vLLM sends `response.completed` with a response whose"
        " `status` is `incomplete`; the response is the same.",
        ("response.completed", "response.incomplete"),
    ),
    Difference(
        RESPONSES,
        ("last.response.output_text.done.logprobs*",),
        "`response.output_text.done` has log-probabilities",
        "So OpenAI's protocol has it. vLLM leaves the list empty; the item has them with both.",
    ),
)


def unexplained(route: str, found: Found) -> dict[str, tuple[object, object]]:
    """What was found and is not in the list."""
    return {
        place: values
        for place, values in found.items()
        if not any(each.explains(route, place, values) for each in DIFFERENCES)
    }
