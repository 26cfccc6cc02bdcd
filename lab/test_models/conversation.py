"""Conversations as training text: the chat template, and its pieces in Python."""

from collections.abc import Sequence
from dataclasses import dataclass

BOS, END, PAD = "<s>", "<|end|>", "<|pad|>"
ROLES = ("system", "user", "assistant", "tool")

TEMPLATE = (
    "{{ bos_token }}"
    "{%- if tools %}<|system|>Tools: {{ tools | tojson }}<|end|>{% endif -%}"
    "{%- for message in messages -%}"
    "<|{{ 'system' if message.role == 'developer' else message.role }}|>"
    "{%- if message.content is string %}{{ message.content }}"
    "{%- elif message.content %}{% for part in message.content %}{{ part.text }}{% endfor %}"
    "{%- endif -%}"
    "{%- if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif -%}"
    "<|end|>"
    "{%- endfor -%}"
    "{%- if add_generation_prompt %}<|assistant|>{% endif -%}"
)

Pieces = Sequence[tuple[str, bool]]
"""A text in pieces; True marks those a model is to learn to say."""


@dataclass(frozen=True, slots=True)
class Exchange:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A system prompt, None for none, and one to six exchanges."""

    system: str | None
    exchanges: tuple[Exchange, ...]


def render(conversation: Conversation) -> list[tuple[str, bool]]:
    """The template's text of a conversation in pieces; True marks what the assistant says."""
    pieces = [(BOS, False)]
    if conversation.system is not None:
        pieces.append((f"<|system|>{conversation.system}{END}", False))
    for exchange in conversation.exchanges:
        pieces.append((f"<|user|>{exchange.question}{END}<|assistant|>", False))
        pieces.append((f"{exchange.answer}{END}", True))
    return pieces
