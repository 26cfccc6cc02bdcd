"""Fields of chat that hold text or steer the model: tools, constraints, sampling, templates."""

from typing import Any

from tests.e2e.bypass.canary import CANARY, PHRASE, TokenIds
from tests.e2e.bypass.vectors.vector import (
    CHAT,
    COMPLETIONS,
    Body,
    Vector,
    chat,
    complete,
    filtered,
    function,
    refused,
    unread,
)


def tooled(**fields: Any) -> Body:
    return chat(tools=[function(**fields)])


def parameters(**schema: Any) -> Body:
    return tooled(parameters={"type": "object", "properties": {"query": schema}})


def formatted(**schema: Any) -> Body:
    answer = {"name": "answer", "schema": {"type": "object"}, **schema}
    return chat(response_format={"type": "json_schema", "json_schema": answer})


def constrained(**constraint: Any) -> Body:
    return chat(structured_outputs=constraint)


TOOLS = (
    filtered("name of a tool", CHAT, tooled(name=CANARY)),
    filtered("description of a tool", CHAT, tooled(description=CANARY)),
    filtered("description of a parameter", CHAT, parameters(description=CANARY)),
    filtered("title of a parameter", CHAT, parameters(title=CANARY)),
    filtered("default of a parameter", CHAT, parameters(default=CANARY)),
    filtered("values of a parameter", CHAT, parameters(enum=["a", CANARY])),
    filtered("values of a parameter, word by word", CHAT, parameters(enum=CANARY.split())),
    filtered("constant of a parameter", CHAT, parameters(const=CANARY)),
    filtered("examples of a parameter", CHAT, parameters(examples=[{"deep": [CANARY]}])),
    filtered("name of a parameter", CHAT, tooled(parameters={"properties": {CANARY: {}}})),
    filtered(
        "definitions of a schema", CHAT, tooled(parameters={"$defs": {"x": {"title": CANARY}}})
    ),
    filtered("comment of a schema", CHAT, tooled(parameters={"$comment": CANARY})),
    filtered("character codes in a schema", CHAT, parameters(enum=list(CANARY.encode()))),
    filtered("unknown member of a function", CHAT, tooled(note=CANARY)),
    filtered("unknown member of a tool", CHAT, chat(tools=[{**function(), "note": CANARY}])),
    filtered("type of a tool", CHAT, chat(tools=[{**function(), "type": CANARY}])),
    filtered(
        "tool_choice",
        CHAT,
        chat(tools=[function()], tool_choice={"type": "function", "function": {"name": CANARY}}),
    ),
    refused("functions", CHAT, chat(functions=[{"name": "f", "description": CANARY}]), "functions"),
    refused("function_call", CHAT, chat(function_call={"name": CANARY}), "function_call"),
)
DOCUMENTS = (
    filtered("documents", CHAT, chat(documents=[{"title": "a", "text": CANARY}])),
    filtered("title of a document", CHAT, chat(documents=[{"title": CANARY, "text": "a"}])),
    filtered("key of a document", CHAT, chat(documents=[{CANARY: "a"}])),
)
CONSTRAINTS = (
    filtered("name of a format", CHAT, formatted(name=CANARY)),
    filtered("description of a format", CHAT, formatted(description=CANARY)),
    filtered("schema of a format", CHAT, formatted(schema={"enum": [CANARY]})),
    filtered(
        "structural tag of a format",
        CHAT,
        chat(
            response_format={
                "type": "structural_tag",
                "structures": [{"begin": CANARY, "schema": {}, "end": "x"}],
                "triggers": ["a"],
            }
        ),
    ),
    filtered("choice", CHAT, constrained(choice=[CANARY, "no"])),
    filtered("regex", CHAT, constrained(regex=CANARY)),
    filtered("regex with classes", CHAT, constrained(regex="".join(f"[{c}]" for c in CANARY))),
    filtered("regex with groups", CHAT, constrained(regex=CANARY.replace("bid", "(b)(i)(d)"))),
    filtered("regex with escapes", CHAT, constrained(regex=CANARY.replace(" ", "\\s"))),
    filtered("grammar", CHAT, constrained(grammar=f'root ::= "{CANARY}"')),
    filtered(
        "grammar in pieces",
        CHAT,
        constrained(grammar="root ::= " + " ".join(f'"{c}"' for c in CANARY)),
    ),
    filtered("JSON schema", CHAT, constrained(json={"const": CANARY})),
    filtered("JSON schema as a string", CHAT, constrained(json=f'{{"const": "{CANARY}"}}')),
    filtered("white space pattern", CHAT, constrained(json={}, whitespace_pattern=CANARY)),
    filtered("structural tag", CHAT, constrained(structural_tag=f'{{"begin": "{CANARY}"}}')),
    filtered(
        "structured outputs of a completion",
        COMPLETIONS,
        complete(structured_outputs={"choice": [CANARY]}),
    ),
    filtered("stop", CHAT, chat(stop=CANARY)),
    filtered("stops", CHAT, chat(stop=["a", CANARY])),
    filtered("bad words", CHAT, chat(bad_words=[CANARY])),
    filtered("allowed tokens", CHAT, chat(allowed_token_ids=TokenIds(CANARY))),
    filtered(
        "allowed tokens of a completion", COMPLETIONS, complete(allowed_token_ids=TokenIds(CANARY))
    ),
)
# Settings that should hold numbers and words of their own: text in them is text all the same.
CARRIED = (
    *(
        filtered(f"text in {name}", CHAT, chat(**{name: CANARY}))
        for name in ("seed", "temperature", "reasoning_effort", "stream_interval", "top_k")
    ),
    filtered("text in stream_options", CHAT, chat(stream=True, stream_options={"a": CANARY})),
    filtered("key in stream_options", CHAT, chat(stream=True, stream_options={CANARY: True})),
    filtered("text in repetition_detection", CHAT, chat(repetition_detection={"a": [CANARY]})),
    filtered("text in logprob_token_ids", CHAT, chat(logprob_token_ids=[CANARY])),
    filtered("text in stop_token_ids", COMPLETIONS, complete(stop_token_ids=[CANARY])),
    refused("text in n", CHAT, chat(n=CANARY), "n"),
    refused("text in logit_bias", CHAT, chat(logit_bias={CANARY: 5}), "logit_bias"),
    refused(
        "text in allowed tokens", CHAT, chat(allowed_token_ids=[CANARY]), "allowed_token_ids.0"
    ),
)
DROPPED: Body = {
    "metadata": {"note": CANARY},
    "user": CANARY,
    "safety_identifier": CANARY,
    "prompt_cache_key": CANARY,
    "prompt_cache_retention": CANARY,
    "service_tier": CANARY,
    "store": CANARY,
    "verbosity": CANARY,
    "prediction": {"type": "content", "content": CANARY},
    "web_search_options": {"user_location": CANARY},
}
UNREAD = (
    *(unread(name, CHAT, chat(**{name: value})) for name, value in DROPPED.items()),
    unread("user of a completion", COMPLETIONS, complete(user=CANARY)),
)
TEMPLATE = "{{ bos_token }}{% for m in messages %}" + CANARY + "{% endfor %}"
NOT_AVAILABLE: Body = {
    "chat_template": TEMPLATE,
    "mm_processor_kwargs": {"text": CANARY},
    "media_io_kwargs": {"image": {"text": CANARY}},
    "mm_payload": {"text": CANARY},
    "return_mm_kwargs": True,
    "modalities": ["text", "audio"],
    "audio": {"voice": CANARY, "format": "wav"},
    "kv_transfer_params": {"do_remote_prefill": True, "remote_host": CANARY},
    "ec_transfer_params": {"x": CANARY},
    "vllm_xargs": {"x": CANARY},
    "cache_salt": CANARY,
    "request_id": CANARY,
    "session_id": CANARY,
    "priority": -1,
    "truncate_prompt_tokens": 4,
    "truncation_side": "left",
    "add_special_tokens": True,
    "routed_experts_prompt_start": 1,
}
# What is no switch of the model's template, or sets one to words.
NO_SWITCHES: dict[str, tuple[Any, str]] = {
    "documents": ([{"text": CANARY}], "chat_template_kwargs.documents"),
    "messages": ([CANARY], "chat_template_kwargs.messages"),
    "tools": ([CANARY], "chat_template_kwargs.tools"),
    "chat_template": (CANARY, "chat_template_kwargs.chat_template"),
    "enable_thinking": (CANARY, "chat_template_kwargs.enable_thinking"),
}
REFUSED = (
    *(refused(name, CHAT, chat(**{name: value}), name) for name, value in NOT_AVAILABLE.items()),
    *(
        refused(f"{name} of the template", CHAT, chat(chat_template_kwargs={name: value}), at)
        for name, (value, at) in NO_SWITCHES.items()
    ),
    refused(
        "truncate_prompt_tokens",
        COMPLETIONS,
        complete(f"{CANARY} {'word ' * 600}", truncate_prompt_tokens=30, truncation_side="left"),
        "truncate_prompt_tokens",
    ),
    refused(
        "prompt_embeds", COMPLETIONS, complete(None, prompt_embeds="gAR9lC4="), "prompt_embeds"
    ),
    refused(
        "list of prompt_embeds", COMPLETIONS, complete(prompt_embeds=["gAR9"]), "prompt_embeds"
    ),
)
STREAMS = (
    filtered("streamed", CHAT, chat({"role": "user", "content": CANARY}, stream=True)),
    filtered(
        "streamed with usage",
        CHAT,
        chat(
            {"role": "user", "content": CANARY},
            stream=True,
            stream_options={"include_usage": True, "continuous_usage_stats": True},
        ),
    ),
    filtered("several choices", CHAT, chat({"role": "user", "content": CANARY}, n=4)),
    filtered("beams", CHAT, chat({"role": "user", "content": CANARY}, n=2, use_beam_search=True)),
    filtered("only the phrase", CHAT, chat({"role": "user", "content": PHRASE})),
    filtered("streamed completion", COMPLETIONS, complete(CANARY, stream=True)),
)
VECTORS: tuple[Vector, ...] = (
    *TOOLS,
    *DOCUMENTS,
    *CONSTRAINTS,
    *CARRIED,
    *UNREAD,
    *REFUSED,
    *STREAMS,
)
