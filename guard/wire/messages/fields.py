"""The closed field tables of `/v1/messages` and its token count, and the way into chat calls."""

from dataclasses import replace

from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire import chat
from guard.wire.fields import Detokenise, FieldRules, FieldTable, Rule
from guard.wire.members import optional_count, optional_list, wrong
from guard.wire.messages.blocks import read_conversation
from guard.wire.messages.settings import chat_output, chat_tools

# What a request to count tokens has too.
COUNT_FIELDS: FieldTable = {
    "model": Rule.CARRIED,
    "messages": Rule.SCREENED,
    "system": Rule.SCREENED,
    "tools": Rule.SCREENED,
    "tool_choice": Rule.SCREENED,
    "output_config": Rule.SCREENED,
    "thinking": Rule.CARRIED,
    "cache_control": Rule.DROPPED,
    "context_management": Rule.DROPPED,  # the model sees all that was judged
    "speed": Rule.DROPPED,
    "user_profile_id": Rule.DROPPED,
    "workspace_id": Rule.DROPPED,
    "billing_policy": Rule.DROPPED,
    "compaction": Rule.REFUSED,
    "mcp_servers": Rule.REFUSED,
    "chat_template_kwargs": Rule.SWITCHES,
}

MESSAGES_FIELDS: FieldTable = {
    **COUNT_FIELDS,
    "max_tokens": Rule.CARRIED,
    "stream": Rule.CARRIED,
    "temperature": Rule.CARRIED,
    "top_p": Rule.CARRIED,
    "top_k": Rule.CARRIED,
    "watermarking": Rule.CARRIED,
    "stop_sequences": Rule.SCREENED,
    "metadata": Rule.DROPPED,
    "service_tier": Rule.DROPPED,
    "diagnostics": Rule.DROPPED,
    "container": Rule.REFUSED,
    "fallback_credit_token": Rule.REFUSED,
    "fallbacks": Rule.REFUSED,
    "inference_geo": Rule.REFUSED,  # a promise about places that cannot be kept here
    "thread": Rule.REFUSED,
    "mm_payload": Rule.REFUSED,
    "return_mm_kwargs": Rule.REFUSED,
    "cache_salt": Rule.REFUSED,
    "kv_transfer_params": Rule.REFUSED,
    "ec_transfer_params": Rule.REFUSED,
    "vllm_xargs": Rule.REFUSED,
}

# Carried to the chat call under the same name; the refused ones where the operator allows them.
SAME = (
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "watermarking",
    "mm_payload",
    "return_mm_kwargs",
    "cache_salt",
    "kv_transfer_params",
    "ec_transfer_params",
    "vllm_xargs",
    "chat_template_kwargs",
)
# Refused whatever the operator allows: a chat call has no equivalent.
UNTRANSLATABLE = frozenset(
    {
        "compaction",
        "container",
        "fallback_credit_token",
        "fallbacks",
        "inference_geo",
        "mcp_servers",
        "thread",
    }
)


def parse(body: JsonObject, rules: FieldRules, detokenise: Detokenise | None) -> Call:
    """Check a request, translate it into a chat call and collect its texts as chat does."""
    accepted, chat_body, quoted = _translated(body, rules, MESSAGES_FIELDS)
    most = optional_count(accepted, "max_tokens", least=1)
    if most is None:
        raise wrong("max_tokens", "an integer of at least 1")
    chat_body["max_completion_tokens"] = most
    if stop := _stop_sequences(accepted):
        chat_body["stop"] = stop
    if chat_body.get("stream"):
        # `message_start` tells the prompt's tokens: so every chunk must.
        chat_body["stream_options"] = {"include_usage": True, "continuous_usage_stats": True}
    return replace(chat.parse(chat_body, rules, detokenise, quoted), protocol="messages")


def parse_count(body: JsonObject, rules: FieldRules) -> Call:
    """A call of vLLM's tokenizer on the same translation.

    It has no items: the texts reach no model, and an answer that depended on the verdict would let
    anyone probe the guard at no cost.
    """
    _, chat_body, _ = _translated(body, rules, COUNT_FIELDS)
    names = ("model", "messages", "tools", "chat_template_kwargs")
    call = chat.parse({name: chat_body[name] for name in names if name in chat_body}, rules, None)
    return replace(call, protocol="count_tokens", upstream_path="/tokenize", items=())


def _translated(
    body: JsonObject, rules: FieldRules, table: FieldTable
) -> tuple[JsonObject, JsonObject, frozenset[int]]:
    """The accepted fields, the chat body they make, and which messages a tool's pictures are in."""
    own_rules = replace(rules, allowed=rules.allowed - UNTRANSLATABLE)
    accepted = own_rules.accept(body, table)
    conversation = read_conversation(accepted, rules)
    chat_body: JsonObject = {
        "model": accepted.get("model"),
        "messages": conversation.messages,
        **{name: accepted[name] for name in SAME if accepted.get(name) is not None},
        **chat_tools(accepted, rules),
        **chat_output(accepted, rules),
    }
    return accepted, chat_body, conversation.quoted


def _stop_sequences(accepted: JsonObject) -> list[object]:
    sequences = optional_list(accepted, "stop_sequences")
    if not all(isinstance(sequence, str) for sequence in sequences):
        raise wrong("stop_sequences", "a list of strings")
    return sequences
