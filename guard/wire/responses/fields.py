"""The closed field table of `/v1/responses`, and a request's way into a chat call."""

from dataclasses import replace

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.terms.sampling_defaults import VLLM_DEFAULTS, SamplingDefaults
from guard.wire import chat
from guard.wire.fields import Detokenise, FieldRules, FieldTable, Rule
from guard.wire.members import (
    optional_count,
    optional_flag,
    optional_record,
    optional_string,
    wrong,
)
from guard.wire.responses.call import ResponsesCall
from guard.wire.responses.items import chat_messages, continuation
from guard.wire.responses.settings import chat_settings
from guard.wire.responses.store import ResponseStore
from guard.wire.responses.tools import Tools, read_tools

# Carried to the chat call under the same name.
SAME: FieldTable = {
    "stream": Rule.CARRIED,
    "temperature": Rule.CARRIED,
    "top_p": Rule.CARRIED,
    "top_k": Rule.CARRIED,
    "min_p": Rule.CARRIED,
    "presence_penalty": Rule.CARRIED,
    "frequency_penalty": Rule.CARRIED,
    "repetition_penalty": Rule.UNEVEN,
    "seed": Rule.CARRIED,
    "stop": Rule.SCREENED,
    "stop_token_ids": Rule.CARRIED,
    "ignore_eos": Rule.CARRIED,
    "logit_bias": Rule.CARRIED,
    "skip_special_tokens": Rule.CARRIED,
    "spaces_between_special_tokens": Rule.CARRIED,
    "include_stop_str_in_output": Rule.CARRIED,
    "watermarking": Rule.CARRIED,
    "structured_outputs": Rule.SCREENED,
    "include_reasoning": Rule.CARRIED,
    "parallel_tool_calls": Rule.CARRIED,
    "chat_template_kwargs": Rule.SWITCHES,
    "media_io_kwargs": Rule.REFUSED,
    "mm_processor_kwargs": Rule.REFUSED,
    "mm_payload": Rule.REFUSED,
    "return_mm_kwargs": Rule.REFUSED,
    "priority": Rule.REFUSED,
    "request_id": Rule.REFUSED,
    "session_id": Rule.REFUSED,
    "cache_salt": Rule.REFUSED,
    "kv_transfer_params": Rule.REFUSED,
    "ec_transfer_params": Rule.REFUSED,
    "vllm_xargs": Rule.REFUSED,
}

# Refused whatever the operator allows: a chat call has no equivalent.
UNTRANSLATABLE: FieldTable = {
    "access_programs": Rule.REFUSED,
    "background": Rule.REFUSED,
    "background_options": Rule.REFUSED,
    "context_management": Rule.REFUSED,
    "conversation": Rule.REFUSED,
    "enable_response_messages": Rule.REFUSED,
    "image": Rule.REFUSED,
    "moderation": Rule.REFUSED,
    "previous_input_messages": Rule.REFUSED,
    "prompt": Rule.REFUSED,
    "truncation": Rule.REFUSED,  # the model must not see less than what was judged
}

RESPONSES_FIELDS: FieldTable = {
    **SAME,
    **UNTRANSLATABLE,
    "model": Rule.CARRIED,
    "input": Rule.SCREENED,
    "instructions": Rule.SCREENED,
    "previous_response_id": Rule.SCREENED,  # the turns it stands for are screened again
    "tools": Rule.SCREENED,
    "tool_choice": Rule.SCREENED,
    "text": Rule.SCREENED,
    "reasoning": Rule.CARRIED,
    "max_output_tokens": Rule.CARRIED,
    "include": Rule.CARRIED,
    "top_logprobs": Rule.CARRIED,
    "store": Rule.DROPPED,  # the guard itself stores
    "client_metadata": Rule.DROPPED,
    "metadata": Rule.DROPPED,  # comes back in the response
    "max_tool_calls": Rule.DROPPED,  # bounds built-in tools, of which there are none
    "stream_options": Rule.DROPPED,
    "user": Rule.DROPPED,
    "service_tier": Rule.DROPPED,
    "safety_identifier": Rule.DROPPED,
    "prompt_cache_key": Rule.DROPPED,
    "prompt_cache_options": Rule.DROPPED,
    "prompt_cache_retention": Rule.DROPPED,
}

REPEATED_STRINGS = ("user", "safety_identifier", "prompt_cache_key", "service_tier")
DEFAULTED = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512


def parse(
    body: JsonObject,
    rules: FieldRules,
    detokenise: Detokenise | None,
    store: ResponseStore,
    owner: str,
) -> ResponsesCall:
    """Check a request, translate it into a chat call and collect its texts as chat does."""
    own_rules = replace(rules, allowed=rules.allowed - UNTRANSLATABLE.keys())
    accepted = own_rules.accept(body, RESPONSES_FIELDS)
    tools = read_tools(accepted, rules)
    echo = {**_echo(body, accepted, rules.sampling, tools), "tools": tools.told}
    turn = chat_messages(accepted.get("input"), rules)
    chat_body: JsonObject = {
        "model": accepted.get("model"),
        "messages": [*_context(accepted, store, owner), *turn],
        **{name: accepted[name] for name in SAME if accepted.get(name) is not None},
        **chat_settings(accepted, tools, rules),
        **continuation(accepted.get("input")),
    }
    most = optional_count(accepted, "max_output_tokens", least=1)
    if chat_body.get("stream"):
        # With a context and no other bound, the first event says what the prompt leaves of it.
        early = most is None and rules.context_tokens is not None
        counts = {"continuous_usage_stats": True} if early else {}
        chat_body["stream_options"] = {"include_usage": True, **counts}
    call = chat.parse(chat_body, rules, detokenise)
    return ResponsesCall(
        protocol="responses",
        upstream_path=call.upstream_path,
        body=call.body,
        model=call.model,
        stream=call.stream,
        items=call.items,
        owner=owner,
        stored=echo["store"] is True,
        echo=echo,
        turn=tuple(turn),
        tool_names=tools.names,
        context_tokens=rules.context_tokens,
        most_tokens=rules.sampling.max_tokens if most is None else most,
    )


def _context(accepted: JsonObject, store: ResponseStore, owner: str) -> list[JsonObject]:
    """Instructions and earlier turns; an earlier turn's instructions do not come back."""
    messages: list[JsonObject] = []
    if instructions := optional_string(accepted, "instructions"):
        messages.append({"role": "system", "content": instructions})
    if previous := optional_string(accepted, "previous_response_id"):
        messages += store.history(owner, previous)
    return messages


def _echo(
    body: JsonObject, accepted: JsonObject, defaults: SamplingDefaults, tools: Tools
) -> JsonObject:
    """The request as its response repeats it; vLLM's own defaults where it says nothing."""
    stored, parallel = optional_flag(body, "store"), optional_flag(accepted, "parallel_tool_calls")
    repeated = {name: optional_string(body, name) for name in REPEATED_STRINGS}
    return {
        "instructions": optional_string(accepted, "instructions"),
        "previous_response_id": optional_string(accepted, "previous_response_id"),
        "max_tool_calls": optional_count(body, "max_tool_calls"),
        "metadata": _metadata(body),
        "parallel_tool_calls": parallel is not False,
        "reasoning": {"effort": None, "summary": None, **optional_record(accepted, "reasoning")},
        "store": stored is not False,
        **{name: _or_default(accepted, name, defaults) for name in DEFAULTED},
        "text": optional_record(accepted, "text") or None,
        "tool_choice": (accepted.get("tool_choice") or "auto") if tools.told else "none",
        "top_logprobs": optional_count(accepted, "top_logprobs"),
        "truncation": "disabled",
        **repeated,
        "service_tier": repeated["service_tier"] or "auto",
    }


def _or_default(accepted: JsonObject, name: str, defaults: SamplingDefaults) -> object:
    if name == "top_p" and _or_default(accepted, "temperature", defaults) == 0:
        return VLLM_DEFAULTS.top_p  # vLLM takes the likeliest token, of all of them
    value = accepted.get(name)
    return getattr(defaults, name) if value is None else value


def _metadata(body: JsonObject) -> JsonObject | None:
    """Metadata within OpenAI's bounds: 16 pairs, keys of 64 and values of 512 characters."""
    if body.get("metadata") is None:
        return None
    metadata = optional_record(body, "metadata")
    if len(metadata) > MOST_METADATA:
        raise RequestError(f"'metadata' holds more than {MOST_METADATA} pairs", param="metadata")
    for key, value in metadata.items():
        if len(key) > LONGEST_KEY or not isinstance(value, str) or len(value) > LONGEST_VALUE:
            raise wrong(
                "metadata",
                f"keys of at most {LONGEST_KEY} and string values of {LONGEST_VALUE} characters",
            )
    return metadata
