"""The names of a request's unknown fields: for the answer's header, and as labels of a metric."""

import re
from collections.abc import Iterable

# What clients are known to send and vLLM's routes do not read. A closed list: names come from
# clients, so any other one is counted as OTHER.
KNOWN_EXTRAS = frozenset(
    {
        "adapter_id",
        "cache_control",
        "cache_prompt",
        "client_metadata",
        "context_management",
        "createdAt",
        "created_at",
        "enable_thinking",
        "extra_body",
        "format",
        "guided_choice",
        "guided_decoding_backend",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "id",
        "is_error",
        "keep_alive",
        "model_info",
        "models",
        "num_ctx",
        "num_predict",
        "options",
        "parsed",
        "plugins",
        "provider",
        "provider_specific_fields",
        "reasoning",
        "reasoning_details",
        "repetition_penalty",
        "route",
        "thinking",
        "thinking_blocks",
        "transforms",
        "usage",
        "web_search_options",
    }
)
OTHER = "other"
UNPRINTABLE = "(unprintable)"
MOST_NAMES = 16
LONGEST_LIST = 512

_SHOWABLE = re.compile(r"[A-Za-z0-9_.$@/:+-]{1,64}")
_INDEX = re.compile(r"(?<=\.)[0-9]+\.")


def without_indices(place: str) -> str:
    """A dotted place for all elements of its lists: `messages.0.tools` is `messages.tools`."""
    return _INDEX.sub("", place)


class DroppedFields:
    """Takes down what is dropped of one request: each name once, of the elements of a list alike.

    A name is the dotted place without indices (`messages.parsed`). Bounded: of more than 16 names,
    or 512 characters of them, the rest is told by a last `...`.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._length = 0
        self._has_more = False

    def add(self, prefix: str, name: str) -> None:
        """Take down the field `name` of the object at `prefix`, which ends with its dot."""
        place = without_indices(prefix) + (name if _SHOWABLE.fullmatch(name) else UNPRINTABLE)
        if place in self._names:
            return
        self._length += len(place)
        if len(self._names) >= MOST_NAMES or self._length > LONGEST_LIST:
            self._has_more = True
        else:
            self._names[place] = name if name in KNOWN_EXTRAS else OTHER

    @property
    def listed(self) -> str:
        """The names, separated by commas; empty where nothing was dropped."""
        return ", ".join((*self._names, *(("...",) if self._has_more else ())))

    @property
    def labels(self) -> Iterable[str]:
        """One label for each name: of KNOWN_EXTRAS, or OTHER."""
        return self._names.values()
