"""Tools, output format, reasoning and logprobs of a Responses request, as a chat call says them."""

from collections.abc import Mapping

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules, FieldTable, Rule
from guard.wire.members import (
    as_record,
    optional_count,
    optional_list,
    optional_record,
    optional_string,
    optional_word,
    require_string,
    unavailable,
    wrong,
)
from guard.wire.responses.tools import CALLABLE, Tools

LOGPROBS = "message.output_text.logprobs"
# Data that no item has here; asking for it asks for nothing.
EMPTY_INCLUDES = frozenset(
    {
        "code_interpreter_call.outputs",
        "computer_call_output.output.image_url",
        "file_search_call.results",
        "message.input_image.image_url",
        "reasoning.encrypted_content",  # the reasoning here is in plain words
        "web_search_call.action.sources",
        "web_search_call.results",
    }
)
EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
CHOICES = frozenset({"none", "auto", "required"})

TEXT_FIELDS: FieldTable = {"format": Rule.SCREENED, "verbosity": Rule.DROPPED}
REASONING_FIELDS: FieldTable = {
    "effort": Rule.CARRIED,
    "summary": Rule.DROPPED,
    "generate_summary": Rule.DROPPED,
    "context": Rule.DROPPED,
    "mode": Rule.DROPPED,
}
FORMAT_TABLES: Mapping[str, FieldTable] = {
    "text": {"type": Rule.CARRIED},
    "json_object": {"type": Rule.CARRIED},
    "json_schema": {
        "type": Rule.CARRIED,
        "name": Rule.SCREENED,
        "description": Rule.SCREENED,
        "schema": Rule.SCREENED,
        "strict": Rule.CARRIED,
    },
}
CHOICE_FIELDS: FieldTable = {
    "type": Rule.CARRIED,
    "name": Rule.SCREENED,
    "namespace": Rule.SCREENED,
}


def chat_settings(accepted: JsonObject, tools: Tools, rules: FieldRules) -> JsonObject:
    """The chat fields that stand for a request's own; raises RequestError naming the latter."""
    settings: JsonObject = {**_logprobs(accepted), **_tools(accepted, tools, rules)}
    if (most := optional_count(accepted, "max_output_tokens", least=1)) is not None:
        settings["max_completion_tokens"] = most
    reasoning = rules.accept(
        optional_record(accepted, "reasoning"), REASONING_FIELDS, prefix="reasoning."
    )
    if effort := optional_word(reasoning, "effort", EFFORTS, "reasoning."):
        settings["reasoning_effort"] = effort
    if response_format := _response_format(accepted, rules):
        if accepted.get("structured_outputs") is not None:
            raise RequestError(
                "'structured_outputs' and 'text.format' exclude each other",
                param="structured_outputs",
            )
        settings["response_format"] = response_format
    return settings


def _logprobs(accepted: JsonObject) -> JsonObject:
    most = optional_count(accepted, "top_logprobs")
    asked = False
    for index, word in enumerate(optional_list(accepted, "include")):
        if word == LOGPROBS:
            asked = True
        elif not isinstance(word, str) or word not in EMPTY_INCLUDES:
            raise unavailable(f"include.{index}", "this")
    return {"logprobs": True, "top_logprobs": most or 0} if asked else {}


def _tools(accepted: JsonObject, tools: Tools, rules: FieldRules) -> JsonObject:
    choice = accepted.get("tool_choice")
    if not tools.functions:
        if choice not in (None, "none", "auto"):
            raise RequestError("'tool_choice' needs 'tools'", param="tool_choice")
        return {}
    settings: JsonObject = {
        "tools": [{"type": "function", "function": function} for function in tools.functions]
    }
    if choice is not None:
        settings["tool_choice"] = _choice(choice, tools, rules)
    return settings


def _choice(choice: object, tools: Tools, rules: FieldRules) -> object:
    if isinstance(choice, str) and choice in CHOICES:
        return choice
    if not isinstance(choice, dict) or choice.get("type") not in CALLABLE:
        raise wrong("tool_choice", "none, auto, required or a function's name with its type")
    choice = rules.accept(choice, CHOICE_FIELDS, prefix="tool_choice.")
    name = require_string(choice, "name", "tool_choice.")
    found = tools.find(name, optional_string(choice, "namespace", "tool_choice."))
    if found is None:
        raise wrong("tool_choice.name", "the name of one of the tools")
    return {"type": "function", "function": {"name": found}}


def _response_format(accepted: JsonObject, rules: FieldRules) -> JsonObject | None:
    text = rules.accept(optional_record(accepted, "text"), TEXT_FIELDS, prefix="text.")
    given = optional_record(text, "format", "text.")
    kind = given.get("type", "text")
    if not isinstance(kind, str) or kind not in FORMAT_TABLES:
        raise wrong("text.format.type", f"one of {', '.join(sorted(FORMAT_TABLES))}")
    schema = rules.accept(given, FORMAT_TABLES[kind], prefix="text.format.")
    schema.pop("type", None)
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": kind}
    require_string(schema, "name", "text.format.")
    as_record(schema.get("schema"), "text.format.schema")
    return {"type": kind, kind: schema}
