"""Tools, output format and thinking of a Messages request, as a chat call says them."""

from collections.abc import Mapping

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules, FieldTable, Rule
from guard.wire.members import (
    as_record,
    optional_count,
    optional_flag,
    optional_list,
    optional_record,
    optional_string,
    optional_word,
    require_string,
    unavailable,
    wrong,
)

TOOL_FIELDS: FieldTable = {
    "type": Rule.CARRIED,
    "name": Rule.SCREENED,
    "description": Rule.SCREENED,
    "input_schema": Rule.SCREENED,
    "strict": Rule.CARRIED,
    "allowed_callers": Rule.DROPPED,
    "cache_control": Rule.DROPPED,
    "defer_loading": Rule.CARRIED,
    "eager_input_streaming": Rule.DROPPED,
    "input_examples": Rule.DROPPED,
}
TOOL_CHOICE_FIELDS: FieldTable = {
    "type": Rule.CARRIED,
    "name": Rule.SCREENED,
    "disable_parallel_tool_use": Rule.CARRIED,
}
CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "function"}

OUTPUT_CONFIG_FIELDS: FieldTable = {"effort": Rule.CARRIED, "format": Rule.SCREENED}
FORMAT_FIELDS: FieldTable = {"type": Rule.CARRIED, "schema": Rule.SCREENED}
EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})

_THINKING: FieldTable = {"type": Rule.CARRIED, "display": Rule.DROPPED}
THINKING_TABLES: Mapping[str, FieldTable] = {
    "enabled": {**_THINKING, "budget_tokens": Rule.CARRIED},
    # No-ops: no word for "do not think" is understood by every chat template behind vLLM.
    "disabled": _THINKING,
    "adaptive": _THINKING,
    "between_tools": _THINKING,
}
LEAST_BUDGET = 1024


def chat_tools(accepted: JsonObject, rules: FieldRules) -> JsonObject:
    """`tools` and `tool_choice` as chat fields; raises RequestError naming the request's own."""
    tools = [
        _tool(value, f"tools.{index}", rules)
        for index, value in enumerate(optional_list(accepted, "tools"))
    ]
    choice = rules.accept(
        optional_record(accepted, "tool_choice"), TOOL_CHOICE_FIELDS, prefix="tool_choice."
    )
    kind = optional_word(choice, "type", CHOICES, "tool_choice.")
    if choice and kind is None:
        raise wrong("tool_choice.type", f"one of {', '.join(sorted(CHOICES))}")
    if not tools:
        if kind in ("any", "tool"):
            raise RequestError("'tool_choice' needs 'tools'", param="tool_choice")
        return {}
    settings: JsonObject = {"tools": list(tools)}
    if kind is not None:
        alone = optional_flag(choice, "disable_parallel_tool_use", "tool_choice.")
        settings["parallel_tool_calls"] = not alone
        settings["tool_choice"] = _choice(choice, CHOICES[kind])
    return settings


def _choice(choice: JsonObject, meaning: str) -> object:
    if meaning != "function":
        return meaning
    name = require_string(choice, "name", "tool_choice.")
    return {"type": "function", "function": {"name": name}}


def _tool(value: object, param: str, rules: FieldRules) -> JsonObject:
    tool = as_record(value, param)
    prefix = f"{param}."
    if tool.get("type") not in (None, "custom"):
        raise unavailable(f"{prefix}type", "a tool of Anthropic's")
    tool = rules.accept(tool, TOOL_FIELDS, prefix=prefix)
    schema = as_record(tool.get("input_schema"), f"{prefix}input_schema")
    function: JsonObject = {
        "name": require_string(tool, "name", prefix),
        "parameters": schema if "type" in schema else {**schema, "type": "object"},
    }
    if (description := optional_string(tool, "description", prefix)) is not None:
        function["description"] = description
    for name in ("strict", "defer_loading"):
        if (flag := optional_flag(tool, name, prefix)) is not None:
            function[name] = flag
    return {"type": "function", "function": function}


def chat_output(accepted: JsonObject, rules: FieldRules) -> JsonObject:
    """`output_config` and `thinking` as chat fields; raises RequestError naming the former."""
    settings: JsonObject = {}
    config = rules.accept(
        optional_record(accepted, "output_config"), OUTPUT_CONFIG_FIELDS, prefix="output_config."
    )
    if effort := optional_word(config, "effort", EFFORTS, "output_config."):
        settings["reasoning_effort"] = effort
    if config.get("format") is not None:
        settings["response_format"] = _response_format(config, rules)
    if (budget := _thinking_budget(accepted, rules)) is not None:
        settings["thinking_token_budget"] = budget
    return settings


def _response_format(config: JsonObject, rules: FieldRules) -> JsonObject:
    prefix = "output_config.format."
    given = optional_record(config, "format", "output_config.")
    given = rules.accept(given, FORMAT_FIELDS, prefix=prefix)
    if given.get("type") != "json_schema":
        raise wrong(f"{prefix}type", "json_schema")
    schema = as_record(given.get("schema"), f"{prefix}schema")
    return {"type": "json_schema", "json_schema": {"name": "json_schema", "schema": schema}}


def _thinking_budget(accepted: JsonObject, rules: FieldRules) -> int | None:
    thinking = optional_record(accepted, "thinking")
    if not thinking:
        return None
    kind = optional_word(thinking, "type", THINKING_TABLES, "thinking.")
    if kind is None:
        raise wrong("thinking.type", f"one of {', '.join(sorted(THINKING_TABLES))}")
    thinking = rules.accept(thinking, THINKING_TABLES[kind], prefix="thinking.")
    if kind != "enabled":
        return None
    budget = optional_count(thinking, "budget_tokens", "thinking.", LEAST_BUDGET)
    if budget is None:
        raise wrong("thinking.budget_tokens", f"an integer of at least {LEAST_BUDGET}")
    most = accepted.get("max_tokens")
    if isinstance(most, int) and budget >= most:
        raise wrong("thinking.budget_tokens", "less than 'max_tokens'")
    return budget
