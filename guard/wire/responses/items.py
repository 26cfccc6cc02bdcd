"""Input items into chat messages; what cannot be screened or translated is refused by name."""

import json
from collections.abc import Iterable, Mapping

from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules, FieldTable, Rule
from guard.wire.members import (
    as_record,
    media_refused,
    optional_list,
    optional_string,
    optional_word,
    require_string,
    unavailable,
    wrong,
)
from guard.wire.pictures import check_picture_url
from guard.wire.responses.custom_input import encode_input
from guard.wire.responses.tools import flat_name

TYPE: FieldTable = {"type": Rule.CARRIED}
ITEM: FieldTable = {**TYPE, "id": Rule.DROPPED, "status": Rule.DROPPED}
_CONTINUED: FieldTable = {**ITEM, "status": Rule.CARRIED}  # unfinished ones are gone on with
_OUTPUT: FieldTable = {
    **ITEM,
    "call_id": Rule.SCREENED,
    "output": Rule.SCREENED,
    "name": Rule.DROPPED,
    "caller": Rule.DROPPED,
    "namespace": Rule.DROPPED,
}
ITEM_TABLES: Mapping[str, FieldTable] = {
    "message": {
        **_CONTINUED,
        "role": Rule.CARRIED,
        "content": Rule.SCREENED,
        "phase": Rule.DROPPED,
    },
    "function_call": {
        **ITEM,
        "call_id": Rule.SCREENED,
        "name": Rule.SCREENED,
        "arguments": Rule.SCREENED,
        "caller": Rule.DROPPED,
        "async": Rule.DROPPED,
        "namespace": Rule.SCREENED,
    },
    "function_call_output": _OUTPUT,
    "custom_tool_call": {
        **ITEM,
        "call_id": Rule.SCREENED,
        "name": Rule.SCREENED,
        "input": Rule.SCREENED,
        "namespace": Rule.SCREENED,
        "caller": Rule.DROPPED,
    },
    "custom_tool_call_output": _OUTPUT,
    "local_shell_call": {**ITEM, "call_id": Rule.SCREENED, "action": Rule.SCREENED},
    "local_shell_call_output": {
        **_OUTPUT,
        "id": Rule.SCREENED,  # of the call, where there is no `call_id`
    },
    "reasoning": {
        **_CONTINUED,
        "summary": Rule.SCREENED,
        "content": Rule.SCREENED,
        "encrypted_content": Rule.DROPPED,
    },
}
# Calls of tools that OpenAI runs, in a conversation begun there: nothing of them is words.
PASSED_OVER = frozenset({"web_search_call"})

_TEXT: FieldTable = {**TYPE, "text": Rule.SCREENED, "prompt_cache_breakpoint": Rule.DROPPED}
PART_TABLES: Mapping[str, FieldTable] = {
    "input_text": _TEXT,
    "text": _TEXT,
    "output_text": {**_TEXT, "annotations": Rule.DROPPED, "logprobs": Rule.DROPPED},
    "refusal": {**TYPE, "refusal": Rule.SCREENED},
    "input_image": {
        **TYPE,
        "image_url": Rule.CARRIED,
        "detail": Rule.CARRIED,
        "file_id": Rule.REFUSED,
        "prompt_cache_breakpoint": Rule.DROPPED,
    },
    "input_audio": {**TYPE, "input_audio": Rule.CARRIED},
}
MEDIA_PARTS = frozenset({"input_image", "input_audio"})
THOUGHT_TABLES: Mapping[str, FieldTable] = {"summary_text": _TEXT, "reasoning_text": _TEXT}
LOCAL_SHELL = "local_shell"
ROLES = frozenset({"user", "assistant", "system", "developer"})
CONTINUED = ("message", "reasoning")
UNFINISHED = ("in_progress", "incomplete")


def chat_messages(given: object, rules: FieldRules) -> list[JsonObject]:
    """The chat messages of `input`; raises RequestError naming the item or part at fault."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise wrong("input", "a string or a non-empty list of items")
    messages = _Reader(rules).read(given)
    if not messages:
        raise wrong("input", "items that hold text")
    return messages


def continuation(given: object) -> JsonObject:
    """The chat fields by which the model goes on with the last item, where that is a message or
    reasoning that was not finished; as in vLLM its role plays no part."""
    last = given[-1] if isinstance(given, list) and given else None
    if not isinstance(last, dict) or last.get("type", "message") not in CONTINUED:
        return {}
    if last.get("status") not in UNFINISHED:
        return {}
    return {"add_generation_prompt": False, "continue_final_message": True}


class _Reader:
    """Items in, messages out: a turn of the assistant may be spread over several items."""

    def __init__(self, rules: FieldRules) -> None:
        self._rules = rules
        self._messages: list[JsonObject] = []

    def read(self, items: Iterable[object]) -> list[JsonObject]:
        for index, value in enumerate(items):
            record = as_record(value, f"input.{index}")
            prefix = f"input.{index}."
            kind = record.get("type") or ("message" if "role" in record else None)
            if isinstance(kind, str) and kind in PASSED_OVER and self._rules.drop_unknown:
                self._rules.drop(prefix, kind)
            elif isinstance(kind, str) and kind in ITEM_TABLES:
                item = self._rules.accept(record, ITEM_TABLES[kind], prefix=prefix)
                self._read_item(item, kind, prefix)
            else:
                raise unavailable(f"{prefix}type", "this type of item")
        return self._messages

    def _read_item(self, item: JsonObject, kind: str, prefix: str) -> None:
        match kind:
            case "message":
                self._message(item, prefix)
            case "function_call":
                self._call(item, prefix, require_string(item, "arguments", prefix))
            case "custom_tool_call":
                self._call(item, prefix, encode_input(require_string(item, "input", prefix)))
            case "local_shell_call":
                self._call({**item, "name": LOCAL_SHELL}, prefix, _shell_arguments(item, prefix))
            case "reasoning":
                self._reasoning(item, prefix)
            case _:
                self._output(item, prefix)

    def _message(self, item: JsonObject, prefix: str) -> None:
        role = optional_word(item, "role", ROLES, prefix)
        if role is None:
            raise wrong(f"{prefix}role", f"one of {', '.join(sorted(ROLES))}")
        content = self._content(item.get("content"), f"{prefix}content")
        if role != "assistant":
            self._messages.append({"role": role, "content": content})
            return
        last = self._last_of_assistant()
        if last is not None and "content" not in last and "tool_calls" not in last:
            last["content"] = _plain(content)
        else:
            self._messages.append({"role": role, "content": _plain(content)})

    def _call(self, item: JsonObject, prefix: str, arguments: str) -> None:
        namespace = optional_string(item, "namespace", prefix)
        name = flat_name(require_string(item, "name", prefix), namespace)
        call: JsonObject = {
            "id": require_string(item, "call_id", prefix),
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        last = self._last_of_assistant()
        if last is None:
            last = {"role": "assistant"}
            self._messages.append(last)
        calls = last.setdefault("tool_calls", [])
        if isinstance(calls, list):
            calls.append(call)

    def _output(self, item: JsonObject, prefix: str) -> None:
        content = self._content(item.get("output"), f"{prefix}output")
        name = "id" if "id" in item and "call_id" not in item else "call_id"
        call_id = require_string(item, name, prefix)
        self._messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _reasoning(self, item: JsonObject, prefix: str) -> None:
        """The reasoning's text; its summary where that is all there is."""
        texts = [
            text for name in ("summary", "content") if (text := self._thought(item, name, prefix))
        ]
        if texts:
            self._messages.append({"role": "assistant", "reasoning": texts[-1]})

    def _thought(self, item: JsonObject, name: str, prefix: str) -> str:
        texts = []
        for index, value in enumerate(optional_list(item, name, prefix)):
            param = f"{prefix}{name}.{index}"
            part, _ = self._part_of(value, param, THOUGHT_TABLES)
            texts.append(require_string(part, "text", f"{param}."))
        return "\n".join(texts)

    def _last_of_assistant(self) -> JsonObject | None:
        last = self._messages[-1] if self._messages else {}
        return last if last.get("role") == "assistant" else None

    def _content(self, content: object, param: str) -> object:
        if isinstance(content, str):
            return content
        if not isinstance(content, list):
            raise wrong(param, "a string or a list of parts")
        return [self._part(part, f"{param}.{index}") for index, part in enumerate(content)]

    def _part(self, value: object, param: str) -> JsonObject:
        part, kind = self._part_of(value, param, PART_TABLES)
        if kind in MEDIA_PARTS:
            return self._media(part, kind, param)
        if kind == "refusal":
            return {"type": kind, kind: require_string(part, kind, f"{param}.")}
        return {"type": "text", "text": require_string(part, "text", f"{param}.")}

    def _part_of(
        self, value: object, param: str, tables: Mapping[str, FieldTable]
    ) -> tuple[JsonObject, str]:
        part = as_record(value, param)
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in tables:
            raise unavailable(f"{param}.type", "this type of content part")
        return self._rules.accept(part, tables[kind], prefix=f"{param}."), kind

    def _media(self, part: JsonObject, kind: str, param: str) -> JsonObject:
        is_picture = kind == "input_image"
        if not (self._rules.media_unscreened or (is_picture and self._rules.pictures)):
            raise media_refused(param, picture=is_picture)
        if not is_picture:
            return {"type": kind, kind: as_record(part.get(kind), f"{param}.{kind}")}
        image: JsonObject = {"url": require_string(part, "image_url", f"{param}.")}
        if self._rules.pictures:
            check_picture_url(str(image["url"]), f"{param}.image_url")
        if part.get("detail") is not None:
            image["detail"] = require_string(part, "detail", f"{param}.")
        return {"type": "image_url", "image_url": image}


def _shell_arguments(item: JsonObject, prefix: str) -> str:
    """A shell call's action as the arguments of a function."""
    action = as_record(item.get("action"), f"{prefix}action")
    return json.dumps({k: v for k, v in action.items() if k != "type"}, ensure_ascii=False)


def _plain(content: object) -> object:
    """A single text part as the text itself: templates expect the assistant's words so."""
    if isinstance(content, list) and len(content) == 1 and content[0]["type"] == "text":
        return content[0]["text"]
    return content
