"""Prompt carriers of chat and text completions: roles, turns, parts, names, tool results, ids."""

from typing import Any

from tests.e2e.bypass.canary import BENIGN, CANARY, TokenIds
from tests.e2e.bypass.vectors.vector import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    Vector,
    asked,
    call,
    called,
    chat,
    complete,
    embed,
    filtered,
    halves,
    refused,
    text,
    turns,
    unread,
    user,
)

WORDS = "The river is long and the bridge is old. "
FIRST, SECOND = halves()
SEAM_FIRST, SEAM_SECOND = halves("build the ")


def says(role: str, content: Any = CANARY, **fields: Any) -> dict[str, Any]:
    return chat({"role": role, "content": content, **fields}, user())


def assistant(**fields: Any) -> dict[str, Any]:
    return chat(user(), {"role": "assistant", "content": BENIGN, **fields}, user())


def padded(count: int, tail: str) -> dict[str, Any]:
    filler = (WORDS * (count // len(WORDS) + 1))[: count - 1]
    return chat(user(f"{filler} {CANARY} {tail}"))


ROLES = (
    *(
        filtered(f"role {role}", CHAT, says(role))
        for role in ("system", "developer", "user", "assistant")
    ),
    filtered("role tool", CHAT, says("tool", tool_call_id="call_1")),
    refused("role function", CHAT, says("function"), "messages.0.role"),
    refused("role context", CHAT, says("context"), "messages.0.role"),
    refused("role event", CHAT, says("event"), "messages.0.role"),
    refused("role in capitals", CHAT, says("User"), "messages.0.role"),
    refused("role with a space", CHAT, says("user "), "messages.0.role"),
    refused("role missing", CHAT, chat({"content": CANARY}), "messages.0.role"),
    refused("role a list", CHAT, chat({"role": ["user"], "content": CANARY}), "messages.0.role"),
)
CONTENT = (
    filtered("content a list of parts", CHAT, asked(text(BENIGN), text())),
    filtered("content a list of strings", CHAT, asked(BENIGN, CANARY)),
    filtered("refusal part", CHAT, asked({"type": "refusal", "refusal": CANARY}, role="assistant")),
    filtered("part with cache control", CHAT, asked({**text(), "cache_control": {"type": "x"}})),
    filtered("name", CHAT, chat(user(name=CANARY))),
    filtered("name of a system message", CHAT, says("system", BENIGN, name=CANARY)),
    filtered("refusal of an earlier answer", CHAT, assistant(refusal=CANARY)),
    filtered("reasoning", CHAT, assistant(reasoning=CANARY)),
    filtered("reasoning_content", CHAT, assistant(reasoning_content=CANARY)),
    filtered("tool_call_id", CHAT, says("tool", BENIGN, tool_call_id=CANARY)),
    filtered("arguments of a call", CHAT, called(arguments=f'{{"query": "{CANARY}"}}')),
    filtered("name of a call", CHAT, called(name=CANARY)),
    filtered("id of a call", CHAT, called(identity=CANARY)),
    filtered(
        "arguments with one escaped letter",
        CHAT,
        called(arguments='{"query": "' + CANARY.replace("forb", "for\\u0062") + '"}'),
    ),
    filtered(
        "arguments with one escaped letter and NaN",
        CHAT,
        called(arguments='{"n": NaN, "q": "' + CANARY.replace("forb", "for\\u0062") + '"}'),
    ),
    filtered(
        "arguments as an object",
        CHAT,
        assistant(tool_calls=[{**call(), "function": {"name": "f", "arguments": {"q": CANARY}}}]),
    ),
    filtered(
        "arguments as character codes",
        CHAT,
        assistant(
            tool_calls=[
                {**call(), "function": {"name": "f", "arguments": {"q": list(CANARY.encode())}}}
            ]
        ),
    ),
    filtered("extra member of a call", CHAT, assistant(tool_calls=[{**call(), "note": CANARY}])),
    refused("audio of an answer", CHAT, assistant(audio={"id": CANARY}), "messages.1.audio"),
    refused(
        "function_call of a message",
        CHAT,
        assistant(function_call={"name": "f", "arguments": CANARY}),
        "messages.1.function_call",
    ),
    refused("tools of a message", CHAT, says("system", tools=[CANARY]), "messages.0.tools"),
    unread("unknown member of a message", CHAT, chat(user(prefix=CANARY))),
    refused("content an object", CHAT, chat(user({"text": CANARY})), "messages.0.content"),
    refused("content a number", CHAT, chat(user(5)), "messages.0.content"),
    refused("a message that is a string", CHAT, {**chat(), "messages": [CANARY]}, "messages.0"),
    refused("messages a string", CHAT, {**chat(), "messages": CANARY}, "messages"),
    refused("messages an object", CHAT, {**chat(), "messages": user(CANARY)}, "messages"),
)
TURNS = (
    filtered("an earlier turn of the user", CHAT, chat(*turns(CANARY, "No.", BENIGN))),
    filtered("an earlier answer", CHAT, chat(*turns(BENIGN, CANARY, BENIGN))),
    filtered("the first of 21 turns", CHAT, chat(*turns(CANARY, *["Yes."] * 20))),
    filtered("split over two messages", CHAT, chat(user(SEAM_FIRST), user(SEAM_SECOND))),
    filtered("split around an answer", CHAT, chat(*turns(SEAM_FIRST, "Go on.", SEAM_SECOND))),
    filtered(
        "split over system and user",
        CHAT,
        chat({"role": "system", "content": SEAM_FIRST}, user(SEAM_SECOND)),
    ),
    filtered(
        "split long before the last turns",
        CHAT,
        chat(*turns(SEAM_FIRST, "Go on.", SEAM_SECOND, *["Yes."] * 20)),
    ),
    filtered("split over parts between words", CHAT, asked(text(SEAM_FIRST), text(SEAM_SECOND))),
    filtered("split over parts inside a word", CHAT, asked(text(FIRST), text(SECOND))),
    filtered(
        "split over parts, letter by letter", CHAT, asked(*[text(letter) for letter in CANARY])
    ),
    filtered(
        "split over parts with empty ones between",
        CHAT,
        asked(text(FIRST), text(""), text(SECOND)),
    ),
    filtered(
        "split over parts, long before the last turns",
        CHAT,
        chat(user([text(FIRST), text(SECOND)]), *turns(*["Yes."] * 20)),
    ),
    filtered("split over messages inside a word", CHAT, chat(user(FIRST), user(SECOND))),
    filtered("split around an answer inside a word", CHAT, chat(*turns(FIRST, "Go on.", SECOND))),
    filtered(
        "split over a text and a refusal",
        CHAT,
        asked(text(FIRST), {"type": "refusal", "refusal": SECOND}, role="assistant"),
    ),
    filtered("split after a decoy", CHAT, chat(user(CANARY), user(SEAM_FIRST), user(SEAM_SECOND))),
    filtered(
        "answer to be continued",
        CHAT,
        chat(
            user(),
            {"role": "assistant", "content": CANARY},
            continue_final_message=True,
            add_generation_prompt=False,
        ),
    ),
)
PADDING = tuple(
    filtered(f"behind {count} characters of padding", CHAT, padded(count, tail))
    for count, tail in ((760, ""), (780, WORDS * 20), (800, ""), (1180, WORDS * 9), (50_000, ""))
)
COMPLETION = (
    filtered("prompt", COMPLETIONS, complete(CANARY)),
    filtered("a list of prompts", COMPLETIONS, complete([BENIGN, CANARY])),
    filtered("token ids", COMPLETIONS, complete(TokenIds(CANARY))),
    filtered("lists of token ids", COMPLETIONS, complete([TokenIds(BENIGN), TokenIds(CANARY)])),
    filtered("texts and token ids mixed", COMPLETIONS, complete([BENIGN, TokenIds(CANARY)])),
    filtered(
        "token ids with special tokens between words",
        COMPLETIONS,
        complete(TokenIds(CANARY.replace(" ", "<|pad|> "))),
    ),
    filtered("suffix", COMPLETIONS, complete(suffix=CANARY)),
    filtered("empty prompt and suffix", COMPLETIONS, complete("", suffix=CANARY)),
    filtered("echo", COMPLETIONS, complete(CANARY, echo=True)),
    filtered("several choices", COMPLETIONS, complete(CANARY, n=3)),
    refused("best_of", COMPLETIONS, complete(CANARY, n=1, best_of=3), "best_of"),
    refused("prompt an object", COMPLETIONS, complete({"prompt": CANARY}), "prompt"),
    refused("prompts nested", COMPLETIONS, complete([[CANARY]]), "prompt.0"),
    refused("ids and texts in one list", COMPLETIONS, complete([1, CANARY]), "prompt.0"),
    refused("ids as strings in lists", COMPLETIONS, complete([["1", "2"]]), "prompt.0"),
    refused("ids with fractions", COMPLETIONS, complete([1.0, 2.0]), "prompt.0"),
    refused("ids that are true and false", COMPLETIONS, complete([True, False]), "prompt.0"),
    refused("an id beyond the vocabulary", COMPLETIONS, complete([1_000_000]), "prompt"),
    refused("a negative id", COMPLETIONS, complete([-1, 5]), "prompt"),
    refused("no prompt", COMPLETIONS, {"model": "demo", "max_tokens": 1}, "prompt"),
    refused("257 prompts", COMPLETIONS, complete([BENIGN] * 256 + [CANARY]), "prompt"),
    unread("messages beside the prompt", COMPLETIONS, complete(messages=[user(CANARY)])),
)
EMBEDDING = (
    filtered("input", EMBEDDINGS, embed(CANARY)),
    filtered("a list of inputs", EMBEDDINGS, embed([BENIGN, CANARY])),
    filtered("token ids", EMBEDDINGS, embed(TokenIds(CANARY))),
    filtered("messages", EMBEDDINGS, {"model": "demo", "messages": [user(CANARY)]}),
    refused(
        "input cut short",
        EMBEDDINGS,
        embed(CANARY, truncate_prompt_tokens=4),
        "truncate_prompt_tokens",
    ),
    refused("template", EMBEDDINGS, embed(CANARY, chat_template=CANARY), "chat_template"),
    refused("media as input", EMBEDDINGS, embed([{"type": "text", "text": CANARY}]), "input.0"),
)
VECTORS: tuple[Vector, ...] = (
    *ROLES,
    *CONTENT,
    *TURNS,
    *PADDING,
    *COMPLETION,
    *EMBEDDING,
)
