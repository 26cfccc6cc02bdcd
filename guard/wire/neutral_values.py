"""Values of refused fields that ask for nothing: some clients send every field they know."""

from collections.abc import Mapping

NeutralValues = Mapping[str, object]

_EMPTY: tuple[object, ...] = ("", [], {})

# Field -> the value it has where it is not sent, in whatever protocol knows it.
NEUTRAL: NeutralValues = {
    "background": False,
    "best_of": 1,
    "enable_response_messages": False,
    "function_call": "none",
    "mm_payload": "tensors",
    "modalities": ["text"],
    "padding": False,
    "priority": 0,
    "routed_experts_prompt_start": 0,
    "truncation": "disabled",
}


def asks_for_nothing(name: str, value: object, neutral: NeutralValues = NEUTRAL) -> bool:
    """Whether a field of this name and value is as good as none: its default, or empty."""
    if value in _EMPTY:
        return True
    if name not in neutral:
        return False
    default = neutral[name]
    return type(value) is type(default) and value == default
