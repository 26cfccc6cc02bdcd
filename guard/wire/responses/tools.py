"""The tools of a Responses request: the functions they are in a chat call, and back.

The translation is vLLM's own: a function inside a namespace is `<namespace>__<name>`, a custom tool
a function of one string; tools that OpenAI's servers run are left out, since nobody runs them here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules, FieldTable, Rule
from guard.wire.members import (
    as_record,
    optional_flag,
    optional_list,
    optional_record,
    optional_string,
    require_string,
    unavailable,
    wrong,
)
from guard.wire.responses.custom_input import PARAMETERS

_TOOL: FieldTable = {
    "type": Rule.CARRIED,
    "name": Rule.SCREENED,
    "description": Rule.SCREENED,
    "allowed_callers": Rule.DROPPED,
    "async": Rule.DROPPED,
    "defer_loading": Rule.DROPPED,
}
TOOL_TABLES: Mapping[str, FieldTable] = {
    "function": {
        **_TOOL,
        "parameters": Rule.SCREENED,
        "strict": Rule.CARRIED,
        "defer_loading": Rule.CARRIED,
        "output_schema": Rule.DROPPED,
    },
    "custom": {**_TOOL, "format": Rule.CARRIED},
    # vLLM shows the functions inside to the model, not what is said of the namespace.
    "namespace": {**_TOOL, "description": Rule.DROPPED, "tools": Rule.SCREENED},
}
# Run by OpenAI, or by the client for OpenAI's own models: vLLM shows them to no other model.
BUILT_IN = frozenset(
    {
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use_preview",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "programmatic_tool_calling",
        "shell",
        "tool_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
CALLABLE = ("function", "custom")
BARE_TOOL: JsonObject = {"description": None, "parameters": None, "strict": None}


@dataclass(frozen=True, slots=True)
class ToolName:
    """What a function of the chat call is to the client."""

    name: str
    namespace: str | None = None
    custom: bool = False

    @property
    def flat(self) -> str:
        """The function's name in the chat call."""
        return flat_name(self.name, self.namespace)


@dataclass(slots=True)
class Tools:
    """A request's tools: as chat functions, under the client's names, as the response has them."""

    functions: list[JsonObject] = field(default_factory=list)
    names: dict[str, ToolName] = field(default_factory=dict)
    told: list[JsonObject] = field(default_factory=list)

    def find(self, name: str, namespace: str | None) -> str | None:
        """The chat name of the tool that a choice names, in full or by its part in a namespace."""
        if namespace is None and name in self.names:
            return name
        found = [
            flat
            for flat, tool in self.names.items()
            if tool.name == name and namespace in (None, tool.namespace)
        ]
        return found[0] if len(found) == 1 else None


def flat_name(name: str, namespace: str | None) -> str:
    """The name of a tool, with its namespace if it has one."""
    return f"{namespace}__{name}" if namespace else name


def read_tools(accepted: JsonObject, rules: FieldRules) -> Tools:
    """The request's tools; raises RequestError naming the one at fault."""
    tools = Tools()
    for index, value in enumerate(optional_list(accepted, "tools")):
        prefix = f"tools.{index}."
        tool = as_record(value, f"tools.{index}")
        kind = tool.get("type")
        if isinstance(kind, str) and kind in BUILT_IN:
            _leave_out(kind, prefix, rules)
            continue
        accepted_tool = _accepted(tool, TOOL_TABLES, prefix, rules)
        if kind == "namespace":
            inner = list(_namespaced(accepted_tool, prefix, rules, tools))
            description = optional_string(tool, "description", prefix) or ""
            tools.told.append({**accepted_tool, "description": description, "tools": inner})
        else:
            tools.told.append(_add(accepted_tool, None, prefix, rules, tools))
    return tools


def _leave_out(kind: str, prefix: str, rules: FieldRules) -> None:
    """Drop a tool that nobody can run, as an unknown field; refuse it where those are refused."""
    if not rules.drop_unknown:
        raise unavailable(f"{prefix}type", "a tool that OpenAI runs")
    rules.drop(prefix, kind)


def _accepted(
    tool: JsonObject, tables: Mapping[str, FieldTable], prefix: str, rules: FieldRules
) -> JsonObject:
    kind = tool.get("type")
    if not isinstance(kind, str) or kind not in tables:
        raise unavailable(f"{prefix}type", "this type of tool")
    tool = rules.accept(tool, tables[kind], prefix=prefix)
    require_string(tool, "name", prefix)
    return tool


def _namespaced(
    tool: JsonObject, prefix: str, rules: FieldRules, tools: Tools
) -> Iterator[JsonObject]:
    namespace = require_string(tool, "name", prefix)
    inside = {kind: TOOL_TABLES[kind] for kind in CALLABLE}
    for index, value in enumerate(optional_list(tool, "tools", prefix)):
        at = f"{prefix}tools.{index}"
        inner = _accepted(as_record(value, at), inside, f"{at}.", rules)
        yield _add(inner, namespace, f"{at}.", rules, tools)


def _add(
    tool: JsonObject, namespace: str | None, prefix: str, rules: FieldRules, tools: Tools
) -> JsonObject:
    """Add a function or custom tool; returns it as the response repeats it."""
    custom = tool["type"] == "custom"
    name = ToolName(require_string(tool, "name", prefix), namespace, custom)
    tools.names[name.flat] = name
    function: JsonObject = {"name": name.flat}
    if (description := optional_string(tool, "description", prefix)) is not None:
        function["description"] = description
    if custom:
        tools.functions.append({**function, "parameters": PARAMETERS})
        return {**tool, **_free_form(tool, prefix, rules)}
    optional_record(tool, "parameters", prefix)
    for flag in ("strict", "defer_loading"):
        optional_flag(tool, flag, prefix)
    carried = ("parameters", "strict", "defer_loading")
    schema = {key: tool[key] for key in carried if tool.get(key) is not None}
    tools.functions.append({**function, **schema})
    return {**BARE_TOOL, **tool}


def _free_form(tool: JsonObject, prefix: str, rules: FieldRules) -> JsonObject:
    """The format of a custom tool's input, where it has one: any text.

    A grammar is dropped like a field. Whoever reads such an input checks it in any case; no chat
    call can hold a tool to a grammar.
    """
    if tool.get("format") is None:
        return {}
    kind = optional_record(tool, "format", prefix).get("type", "text")
    if kind == "grammar":
        rules.drop(prefix, "format")
    elif kind != "text":
        raise wrong(f"{prefix}format.type", "text or grammar")
    return {"format": {"type": "text"}}
