"""`/v1/embeddings`, where the model server pools: flagged texts get other words."""

from dataclasses import replace

from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire import chat, completions
from guard.wire.fields import Detokenise, FieldRules, FieldTable, Rule, expect_string
from guard.wire.settings_text import settings_items

EMBEDDING_FIELDS: FieldTable = {
    "model": Rule.CARRIED,
    "input": Rule.SCREENED,
    "messages": Rule.SCREENED,
    "encoding_format": Rule.CARRIED,
    "embed_dtype": Rule.CARRIED,
    "endianness": Rule.CARRIED,
    "dimensions": Rule.CARRIED,
    "use_activation": Rule.CARRIED,
    "add_special_tokens": Rule.CARRIED,
    "add_generation_prompt": Rule.CARRIED,
    "continue_final_message": Rule.CARRIED,
    "user": Rule.DROPPED,
    "padding": Rule.REFUSED,
    "truncate_prompt_tokens": Rule.REFUSED,
    "truncation_side": Rule.REFUSED,
    "chat_template": Rule.REFUSED,
    "chat_template_kwargs": Rule.SWITCHES,
    "media_io_kwargs": Rule.REFUSED,
    "mm_processor_kwargs": Rule.REFUSED,
    "request_id": Rule.REFUSED,
    "priority": Rule.REFUSED,
    "cache_salt": Rule.REFUSED,
}


def parse(body: JsonObject, rules: FieldRules, detokenise: Detokenise | None) -> Call:
    """Check an embedding request and collect its texts."""
    accepted = rules.accept(body, EMBEDDING_FIELDS)
    model = expect_string(accepted, "model") or ""
    if "messages" in accepted and "input" not in accepted:
        asked: JsonObject = {"model": model, "messages": accepted["messages"]}
        parsed = chat.parse(asked, rules, detokenise)
        accepted["messages"] = parsed.body["messages"]
        items = list(parsed.items)
    else:
        accepted.pop("messages", None)
        accepted["input"], items = completions.read_prompt(accepted, "input", detokenise)
    items += settings_items(accepted, EMBEDDING_FIELDS, ("input", "messages"))
    fixed = tuple(replace(item, corruptible=False) for item in items)
    return Call("embeddings", "/v1/embeddings", accepted, model, stream=False, items=fixed)
