"""`/v1/chat/completions`: its field table and the texts it carries."""

import json
from collections.abc import Mapping
from dataclasses import replace

from guard.terms.errors import RequestError
from guard.terms.item import Call, Item, Path
from guard.terms.json import JsonObject
from guard.wire.call import field_items
from guard.wire.fields import (
    Detokenise,
    FieldRules,
    FieldTable,
    Rule,
    expect,
    expect_flag,
    expect_string,
)
from guard.wire.sampling import SAMPLING_FIELDS, check_bounds, token_items
from guard.wire.settings_text import settings_items

CHAT_FIELDS: FieldTable = {
    **SAMPLING_FIELDS,
    "model": Rule.CARRIED,
    "messages": Rule.SCREENED,
    "tools": Rule.SCREENED,
    "tool_choice": Rule.SCREENED,
    "documents": Rule.SCREENED,
    "max_completion_tokens": Rule.CARRIED,
    "top_logprobs": Rule.CARRIED,
    "parallel_tool_calls": Rule.CARRIED,
    "reasoning_effort": Rule.CARRIED,
    "include_reasoning": Rule.CARRIED,
    "add_generation_prompt": Rule.CARRIED,
    "continue_final_message": Rule.CARRIED,
    "metadata": Rule.DROPPED,
    "store": Rule.DROPPED,
    "service_tier": Rule.DROPPED,
    "safety_identifier": Rule.DROPPED,
    "prompt_cache_key": Rule.DROPPED,
    "prompt_cache_retention": Rule.DROPPED,
    "verbosity": Rule.DROPPED,
    "return_prompt_text": Rule.LEAKING,
    "chat_template": Rule.REFUSED,
    "chat_template_kwargs": Rule.REFUSED,
    "media_io_kwargs": Rule.REFUSED,
    "mm_processor_kwargs": Rule.REFUSED,
    "functions": Rule.REFUSED,
    "function_call": Rule.REFUSED,
    "modalities": Rule.REFUSED,
    "audio": Rule.REFUSED,
    "prediction": Rule.REFUSED,
    "web_search_options": Rule.REFUSED,
}

MESSAGE_FIELDS: FieldTable = {
    "role": Rule.CARRIED,
    "content": Rule.SCREENED,
    "name": Rule.SCREENED,
    "tool_calls": Rule.SCREENED,
    "tool_call_id": Rule.SCREENED,
    "refusal": Rule.SCREENED,
    "reasoning": Rule.SCREENED,
    "reasoning_content": Rule.SCREENED,
    "annotations": Rule.DROPPED,
    "tools": Rule.REFUSED,
    "audio": Rule.REFUSED,
    "function_call": Rule.REFUSED,
}

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})

# Content part type -> (field that holds its text, the part's other fields)
TEXT_PARTS: Mapping[str, str] = {"text": "text", "refusal": "refusal"}
MEDIA_PARTS = frozenset({"image_url", "input_audio", "audio_url", "video_url"})


def parse(body: JsonObject, rules: FieldRules, detokenise: Detokenise | None) -> Call:
    """Check a chat request against its table and collect every text the model will see."""
    accepted = rules.accept(body, CHAT_FIELDS)
    check_bounds(accepted)
    messages = _messages(accepted, rules)
    accepted["messages"] = messages
    items = [
        item for index, message in enumerate(messages) for item in _message_items(message, index)
    ]
    items += settings_items(accepted, CHAT_FIELDS, ("messages",))
    items += token_items(accepted, detokenise)
    return Call(
        protocol="chat",
        upstream_path="/v1/chat/completions",
        body=accepted,
        model=expect_string(accepted, "model") or "",
        stream=expect_flag(accepted, "stream"),
        items=tuple(items),
    )


def _messages(body: JsonObject, rules: FieldRules) -> list[JsonObject]:
    messages = expect(body, "messages", list, "a list of messages")
    if not messages or not isinstance(messages, list):
        raise RequestError("'messages' must be a non-empty list", param="messages")
    # What the operator allows by name are fields of requests, not of the objects inside them.
    inner = replace(rules, allowed=frozenset()) if rules.allowed else rules
    return [_message(message, f"messages.{index}", inner) for index, message in enumerate(messages)]


def _message(message: object, param: str, rules: FieldRules) -> JsonObject:
    if not isinstance(message, dict):
        raise RequestError(f"'{param}' must be an object", param=param)
    accepted = rules.accept(message, MESSAGE_FIELDS, prefix=f"{param}.")
    if str(accepted.get("role")) not in ROLES:
        raise RequestError(
            f"'{param}.role' must be one of {', '.join(sorted(ROLES))}", param=f"{param}.role"
        )
    content = accepted.get("content")
    if isinstance(content, list):
        accepted["content"] = [
            _part(part, f"{param}.content.{index}", rules) for index, part in enumerate(content)
        ]
    elif content is not None and not isinstance(content, str):
        raise RequestError(
            f"'{param}.content' must be a string or a list of parts", param=f"{param}.content"
        )
    return accepted


def _part(part: object, param: str, rules: FieldRules) -> JsonObject:
    """A content part rebuilt from the fields its type has; anything else is refused."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        raise RequestError(f"'{param}' must be an object", param=param)
    kind = part.get("type")
    if isinstance(kind, str) and (text_field := TEXT_PARTS.get(kind)) is not None:
        _only(part, {"type", text_field, "cache_control"}, param)
        text = part.get(text_field)
        if not isinstance(text, str):
            where = f"{param}.{text_field}"
            raise RequestError(f"'{where}' must be a string", param=where)
        return {"type": kind, text_field: text}
    if isinstance(kind, str) and kind in MEDIA_PARTS:
        if not rules.media_unscreened:
            raise RequestError(
                f"'{param}': images, audio and video cannot be screened and are not accepted here",
                param=param,
                code="media_refused",
            )
        _only(part, {"type", kind}, param)
        return part
    raise RequestError(
        f"'{param}.type' is not a content part type accepted here",
        param=f"{param}.type",
        code="field_refused",
    )


def carries_media(call: Call) -> bool:
    """Whether a call has images, audio or video: what no detector reads."""
    messages = call.body.get("messages")
    contents = (m.get("content") for m in messages) if isinstance(messages, list) else ()
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return any(part.get("type") in MEDIA_PARTS for part in parts)


def _only(part: Mapping[str, object], names: set[str], param: str) -> None:
    for name in part.keys() - names:
        raise RequestError(
            f"Unknown field in '{param}'", param=f"{param}.{name[:64]}", code="unknown_field"
        )


def _message_items(message: JsonObject, index: int) -> list[Item]:
    role = str(message["role"])
    path: Path = ("messages", index)
    items = _content_items(message.get("content"), (*path, "content"), role)
    for name, value in message.items():
        if MESSAGE_FIELDS.get(name) is Rule.SCREENED and name != "content" and value is not None:
            items += field_items(value, (*path, name), role)
    if decoded := decoded_arguments(message.get("tool_calls")):
        items += field_items(decoded, (*path, "tool_calls"), role)
    return items


def decoded_arguments(tool_calls: object) -> list[object]:
    """What the JSON texts of tool-call arguments say: templates show the model that, unescaped."""
    found: list[object] = []
    for call in tool_calls if isinstance(tool_calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str) and "\\" in arguments:
            try:
                found.append(json.loads(arguments))  # as vLLM reads them: NaN is JSON to it
            except (ValueError, RecursionError):
                continue  # not JSON: the text itself is screened as it stands
    return found


def _content_items(content: object, path: Path, role: str) -> list[Item]:
    if isinstance(content, str):
        return [Item(path, role, content, corruptible=True)] if content.strip() else []
    items: list[Item] = []
    for index, part in enumerate(content if isinstance(content, list) else []):
        text = part.get("text")
        if isinstance(text, str):
            if text:  # a blank part too: it stands between the words of its neighbours
                items.append(Item((*path, index), role, text, corruptible=True))
        else:
            items += field_items(part.get("refusal"), (*path, index), role)
    return items
