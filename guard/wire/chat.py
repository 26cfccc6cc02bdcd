"""`/v1/chat/completions`: its field table and the texts it carries."""

import json
from collections.abc import Collection, Mapping

from guard.terms.errors import RequestError
from guard.terms.item import Call, Item, Path
from guard.terms.json import JsonObject
from guard.wire.authors import authored
from guard.wire.call import field_items
from guard.wire.fields import (
    NEUTRAL,
    Detokenise,
    FieldRules,
    FieldTable,
    NeutralValues,
    Rule,
    expect,
    expect_flag,
    expect_string,
)
from guard.wire.members import media_refused, require_string
from guard.wire.pictures import IMAGE_URL, read_image_url
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
    "prompt_cache_options": Rule.DROPPED,
    "prompt_cache_retention": Rule.DROPPED,
    "verbosity": Rule.DROPPED,
    "prediction": Rule.DROPPED,  # a hint that makes answers faster, not other ones
    "return_prompt_text": Rule.LEAKING,
    "chat_template": Rule.REFUSED,
    "chat_template_kwargs": Rule.SWITCHES,
    "media_io_kwargs": Rule.REFUSED,
    "mm_processor_kwargs": Rule.REFUSED,
    "functions": Rule.REFUSED,
    "function_call": Rule.REFUSED,
    "modalities": Rule.REFUSED,
    "audio": Rule.REFUSED,
}
CHAT_NEUTRAL: NeutralValues = {**NEUTRAL, "add_special_tokens": False}

MESSAGE_FIELDS: FieldTable = {
    "role": Rule.CARRIED,
    "content": Rule.SCREENED,
    "name": Rule.SCREENED,
    "tool_calls": Rule.SCREENED,
    "tool_call_id": Rule.SCREENED,
    "refusal": Rule.SCREENED,
    "reasoning": Rule.SCREENED,
    "reasoning_content": Rule.SCREENED,
    # Parts of an answer that clients send back with it, and marks for caches of other services.
    "annotations": Rule.DROPPED,
    "cache_control": Rule.DROPPED,
    "createdAt": Rule.DROPPED,
    "id": Rule.DROPPED,
    "is_error": Rule.DROPPED,
    "parsed": Rule.DROPPED,
    "provider_specific_fields": Rule.DROPPED,
    "reasoning_details": Rule.DROPPED,
    "thinking_blocks": Rule.DROPPED,
    "tools": Rule.REFUSED,
    "audio": Rule.REFUSED,
    "function_call": Rule.REFUSED,
}

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})

TEXT_PARTS = frozenset({"text", "refusal"})
MEDIA_PARTS = frozenset({"image_url", "input_audio", "audio_url", "video_url"})
_PART: FieldTable = {"type": Rule.CARRIED, "cache_control": Rule.DROPPED}
# What each type of content part has; a part's type is also the name of the field it is about.
PART_TABLES: Mapping[str, FieldTable] = {
    **{kind: {**_PART, kind: Rule.SCREENED} for kind in sorted(TEXT_PARTS)},
    # `uuid` names a picture of an earlier request in the model server's cache.
    **{kind: {**_PART, kind: Rule.CARRIED, "uuid": Rule.REFUSED} for kind in sorted(MEDIA_PARTS)},
}


def parse(
    body: JsonObject,
    rules: FieldRules,
    detokenise: Detokenise | None,
    quoted: frozenset[int] = frozenset(),
) -> Call:
    """Check a chat request against its table and collect every text the model will see.

    `quoted` are the messages that say `user` and hold what a tool gave back (`Call.quoted`).
    """
    accepted = rules.accept(body, CHAT_FIELDS, neutral=CHAT_NEUTRAL)
    check_bounds(accepted)
    messages = _messages(accepted, rules)
    accepted["messages"] = messages
    items = [
        item
        for index, message in enumerate(messages)
        for item in _message_items(message, index, quoted=index in quoted)
    ]
    items += settings_items(accepted, CHAT_FIELDS, _seen(accepted, rules))
    items += token_items(accepted, detokenise)
    return Call(
        protocol="chat",
        upstream_path="/v1/chat/completions",
        body=accepted,
        model=expect_string(accepted, "model") or "",
        stream=expect_flag(accepted, "stream"),
        items=tuple(items),
        quoted=quoted,
    )


def _seen(accepted: JsonObject, rules: FieldRules) -> tuple[str, ...]:
    """The fields whose texts are found elsewhere, or that hold none."""
    switched = rules.holds_switches_only(accepted.get("chat_template_kwargs"))
    return ("messages", "chat_template_kwargs") if switched else ("messages",)


def _messages(body: JsonObject, rules: FieldRules) -> list[JsonObject]:
    messages = expect(body, "messages", list, "a list of messages")
    if not messages or not isinstance(messages, list):
        raise RequestError("'messages' must be a non-empty list", param="messages")
    return [_message(message, f"messages.{index}", rules) for index, message in enumerate(messages)]


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
    """A content part with the fields its type has; another type is refused."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        raise RequestError(f"'{param}' must be an object", param=param)
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in PART_TABLES:
        raise RequestError(
            f"'{param}.type' is not a content part type accepted here",
            param=f"{param}.type",
            code="field_refused",
        )
    reads = kind == IMAGE_URL and rules.pictures
    if kind in MEDIA_PARTS and not (reads or rules.media_unscreened):
        raise media_refused(param, picture=kind == IMAGE_URL)
    accepted = rules.accept(part, PART_TABLES[kind], f"{param}.")
    if reads:
        accepted[kind] = read_image_url(accepted.get(kind), f"{param}.{kind}", rules)
    if kind in TEXT_PARTS:
        require_string(accepted, kind, f"{param}.")
    return accepted


def carries_media(call: Call, unread: Collection[str] = MEDIA_PARTS) -> bool:
    """Whether a call has images, audio or video: of those types that no detector reads."""
    messages = call.body.get("messages")
    contents = (m.get("content") for m in messages) if isinstance(messages, list) else ()
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return any(part.get("type") in unread for part in parts)


def _message_items(message: JsonObject, index: int, *, quoted: bool) -> list[Item]:
    role = "tool" if quoted else str(message["role"])
    path: Path = ("messages", index)
    items = _content_items(message.get("content"), (*path, "content"), role)
    for name, value in message.items():
        # Refused fields are here where the operator allows them: allowed, not unseen.
        if MESSAGE_FIELDS[name] is not Rule.CARRIED and name != "content" and value is not None:
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
        return [authored(path, role, content, corruptible=True)] if content.strip() else []
    items: list[Item] = []
    for index, part in enumerate(content if isinstance(content, list) else []):
        text = part.get("text")
        if isinstance(text, str):
            if text:  # a blank part too: it stands between the words of its neighbours
                items.append(authored((*path, index), role, text, corruptible=True))
        else:
            items += field_items(part.get("refusal"), (*path, index), role)
    return items
