"""What surely exceeds the model's context, refused before anything is read for it.

The model server refuses it too, but only once the guard has read all of it. Counted is what chat
templates are certain to put in: messages but the assistant's, whose thoughts some leave out. Where
the model's tokenizer is at hand its tokens are counted; elsewhere a prompt must have more
characters than its context could hold in the longest tokens that there are.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from guard.gateway.models.token_counts import TokenCounts
from guard.screening.workers.turn import Turn
from guard.terms.errors import RequestError
from guard.terms.item import Call

CHARACTERS_PER_TOKEN = 256
"""White space left out: twice the longest tokens in the vocabularies of GPT-2, GPT-4, Llama 3 and
Qwen, which have 128."""
RENDERED = frozenset({"system", "developer", "user", "tool"})
OUTPUT_FIELDS = ("max_completion_tokens", "max_tokens")


class Prompt(NamedTuple):
    """One prompt that the model reads: its texts, or how many token ids it has."""

    texts: tuple[str, ...] = ()
    ids: int = 0


class ContextLengths:
    """The contexts of the models, by `context_of` (None where nobody has told), and what counts
    their tokens where a tokenizer is at hand."""

    def __init__(
        self, context_of: Callable[[str], int | None], counts: Mapping[str, TokenCounts]
    ) -> None:
        self._context_of = context_of
        self._counts = counts

    def may_exceed(self, call: Call) -> bool:
        """Whether it takes counting to know that a call fits: no token is shorter than a byte.

        RequestError where more tokens are asked for than the context holds; as vLLM counts, that is
        a bound beside the prompt's, which together may be longer.
        """
        context = self._context_of(call.model)
        if context is None:
            return False
        _check_output(call, context)
        return any(_most_tokens(prompt) > context for prompt in prompts_of(call))

    def check(self, call: Call, owner: str, turn: Turn) -> None:
        """RequestError where a prompt surely exceeds the context; blocking, in turns.

        `owner` is the API key's name: what is known of its texts tells no other key anything.
        """
        context = self._context_of(call.model)
        if context is None:
            return
        counts = self._counts.get(call.model)
        for prompt in prompts_of(call):
            if counts is None:
                _check_characters(prompt, context)
                continue
            found = prompt.ids
            for text in prompt.texts:
                found += counts.count(text, owner, context - found, turn)
                if found > context:
                    break
            if found > context:
                raise _too_long(context, f"contains at least {found} input tokens")


def prompts_of(call: Call) -> tuple[Prompt, ...]:
    """The prompts of a call, each read by itself, as far as they are certain to be read."""
    messages, prompt = call.body.get("messages"), call.body.get("prompt")
    if isinstance(messages, list):
        return (Prompt(tuple(filter(None, map(_said, messages)))),)
    if isinstance(prompt, str):
        return (Prompt((prompt,)),)
    if not isinstance(prompt, list):
        return ()
    if prompt and isinstance(prompt[0], int):
        return (Prompt(ids=len(prompt)),)
    return tuple(
        Prompt((each,)) if isinstance(each, str) else Prompt(ids=len(each))
        for each in prompt
        if isinstance(each, str | list)
    )


def _said(message: object) -> str:
    """What a template is certain to put in of a message: its text, but for space around it."""
    if not isinstance(message, dict) or message.get("role") not in RENDERED:
        return ""
    content = message.get("content")
    if isinstance(content, str):
        return content.strip()
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str)).strip()


def _most_tokens(prompt: Prompt) -> int:
    """Bytes of a prompt in UTF-8, a character being four at most where it is long."""
    return prompt.ids + sum(
        4 * len(text) if not text.isascii() else len(text) for text in prompt.texts
    )


def _check_output(call: Call, context: int) -> None:
    for field in OUTPUT_FIELDS:
        most = call.body.get(field)
        if isinstance(most, int):
            if most > context:
                raise RequestError(
                    f"{field}={most} cannot be greater than the model's maximum context length of "
                    f"{context} tokens",
                    param=field,
                    code="context_length_exceeded",
                )
            return


def _check_characters(prompt: Prompt, context: int) -> None:
    most = context * CHARACTERS_PER_TOKEN
    if prompt.ids > context:
        raise _too_long(context, f"contains {prompt.ids} input tokens")
    if sum(map(len, prompt.texts)) <= most:
        return
    found = sum(len(word) for text in prompt.texts for word in text.split())
    if found > most:
        raise _too_long(context, f"contains {found} characters")


def _too_long(context: int, found: str) -> RequestError:
    """In vLLM's words, which clients look for."""
    return RequestError(
        f"This model's maximum context length is {context} tokens. However, your prompt {found}, "
        "which exceeds this limit even without any output tokens. Please reduce the length of the "
        "input prompt.",
        code="context_length_exceeded",
    )
